import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import type { FreshUnit } from '../load/fresh-copy.ts';
import { insertedOnly, ledgerEntry } from '../load/merge-unit.ts';
import type { LoadTask } from '../load/unit-task.ts';
import type { LoadPlan, UnitPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { Connection } from '../target/connect.ts';
import { createFresh, dropFresh, freshName, swapFresh } from '../target/fresh-table.ts';
import { writeLedger } from '../target/ledger.ts';
import type { TargetTable } from '../target/table.ts';
import { inTransaction } from '../target/transaction.ts';
import type { RunEvent } from './events.ts';
import { eventOf } from './pool-workers.ts';
import type { UnitOutcome } from './unit-outcome.ts';

/**
 * A table that this run has created is filled without its index, as a twin that nobody sees; then
 * the twin gets the key and the name, in one transaction with the ledger's rows. Three million rows
 * take a third of the time that they take through the index.
 *
 * That is right only where no key comes twice, which is known only once the key is added: so it is
 * tried where the sample saw none, and whatever goes wrong (a duplicate, a bad row, a lost line)
 * drops the twin and sends the load down the ordinary road, which has the answer for each of them.
 * A crash leaves an empty table and a twin that the next run drops.
 */
export interface FreshOptions {
  readonly plan: LoadPlan;
  readonly loadIndex: number;
  readonly task: LoadTask;
  readonly table: TargetTable;
  readonly pool: WorkerPool;
  readonly coordinator: Connection;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

/** Null: the twin is dropped, and the load is to be made in the ordinary way. */
export async function runFreshLoad(options: FreshOptions): Promise<UnitOutcome[] | null> {
  const { coordinator, table, task } = options;
  const fresh = freshName(table, task.ledger.runId);
  try {
    await createFresh(coordinator, table, fresh);
    const units = await copyAll(options, fresh);
    const startedAt = performance.now();
    await publish(options, fresh, units);
    const mergeMs = performance.now() - startedAt;
    return units.map((unit, ordinal) => outcomeOf(unit, ordinal, mergeMs));
  } catch (error) {
    if (coordinator.usable()) await dropFresh(coordinator, table);
    if (!options.signal.aborted) tellFallback(options, errorRecordOf(error));
    return null;
  }
}

async function copyAll(options: FreshOptions, fresh: string): Promise<FreshUnit[]> {
  const { plan, signal } = options;
  const units: FreshUnit[] = [];
  const problems: unknown[] = [];
  const remaining = plan.units.values();
  const lane = async (): Promise<void> => {
    for (const unit of remaining) {
      if (problems.length > 0 || signal.aborted) return;
      try {
        units[unit.ordinal] = await copyUnit(options, unit, fresh);
      } catch (error) {
        problems.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: plan.concurrency }, lane));
  signal.throwIfAborted();
  if (problems.length > 0) throw problems[0];
  return units;
}

async function copyUnit(
  { pool, plan, task, loadIndex, onEvent }: FreshOptions,
  unit: UnitPlan,
  sqlName: string,
): Promise<FreshUnit> {
  const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
  const order = { load: task, unit: unit.ordinal, files, attempt: 1 };
  const session = pool.open({ kind: 'fresh-copy', task: order, sqlName }, (news) => {
    onEvent(eventOf(news, loadIndex, 1));
  });
  try {
    const copied = (await session.call('copy')) as FreshUnit;
    if (copied.failure !== null) throw new FileRefused(copied.failure.error);
    return copied;
  } finally {
    await session.close();
  }
}

/** A file that COPY refused: the ordinary road tells it, and loads the files before it. */
class FileRefused extends Error {
  override readonly name = 'FileRefused';

  constructor(record: ErrorRecord) {
    super(record.sentence);
  }
}

async function publish(
  { coordinator, plan, table, task, loadIndex, onEvent }: FreshOptions,
  fresh: string,
  units: readonly FreshUnit[],
): Promise<void> {
  const files = units.flatMap((unit) => unit.staged);
  for (const { file } of files) {
    onEvent({ kind: 'file-merging', load: loadIndex, file: file.ordinal });
  }
  await inTransaction(coordinator, async () => {
    const tableOid = await swapFresh(coordinator, table, fresh, plan.key);
    const entries = files.map((file) => ledgerEntry(file, insertedOnly(file.rows)));
    await writeLedger(coordinator, { ...task.ledger, tableOid }, entries);
  });
}

function outcomeOf(unit: FreshUnit, ordinal: number, mergeMs: number): UnitOutcome {
  const files = unit.staged.map(({ file, rows }) => ({
    file: file.ordinal,
    counts: insertedOnly(rows),
  }));
  const counts = insertedOnly(unit.staged.reduce((sum, { rows }) => sum + rows, 0));
  const merged = { counts, files, failure: null, stageMs: unit.stageMs, mergeMs };
  return { unit: ordinal, status: 'merged', merged, failure: null, attempts: 1, waitMs: 0 };
}

function tellFallback({ onEvent, loadIndex, table }: FreshOptions, record: ErrorRecord): void {
  const sentence =
    `${table.sqlName} could not be filled before its key was added (${record.sentence}) ` +
    'It is loaded through staging instead.';
  onEvent({ kind: 'notice', load: loadIndex, sentence });
}
