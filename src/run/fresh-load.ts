import { errorRecordOf, EtlError, type ErrorRecord } from '../errors.ts';
import { plainSentence } from '../load/copy-error.ts';
import type { FreshUnit } from '../load/fresh-copy.ts';
import { insertedOnly, ledgerEntry } from '../load/merge-unit.ts';
import type { LoadTask, StagedFile } from '../load/unit-task.ts';
import { missingIndexes } from '../plan/plan-indexes.ts';
import type { LoadPlan, UnitPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import { cancellable } from '../target/backends.ts';
import type { Connection, ConnectOptions } from '../target/connect.ts';
import { createFresh, dropFresh, freshName, swapFresh } from '../target/fresh-table.ts';
import { createIndexSql } from '../target/indexes.ts';
import { writeLedger } from '../target/ledger.ts';
import type { TargetTable } from '../target/table.ts';
import { inTransaction } from '../target/transaction.ts';
import type { RunEvent } from './events.ts';
import { createFileParts, type FileParts } from './file-parts.ts';
import { createPartEvents, type TellNews } from './part-events.ts';

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
  readonly connectOptions: ConnectOptions;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

/** What the twin was filled with; every row was new. */
export interface FreshOutcome {
  readonly files: readonly StagedFile[];
  /** By unit. */
  readonly stageMs: ReadonlyMap<number, number>;
  readonly mergeMs: number;
}

/** Null: the twin is dropped, and the load is to be made in the ordinary way. */
export async function runFreshLoad(options: FreshOptions): Promise<FreshOutcome | null> {
  const { coordinator, table, task } = options;
  const fresh = freshName(table, task.ledger.runId);
  const parts = createFileParts(options);
  const tell = createPartEvents(options.loadIndex, options.onEvent);
  try {
    await createFresh(coordinator, table, fresh);
    const units = await copyAll({ ...options, parts, tell }, fresh);
    const files = await parts.join(units.flatMap((unit) => unit.staged));
    const startedAt = performance.now();
    await publish(options, fresh, files);
    const mergeMs = performance.now() - startedAt;
    return { files, stageMs: new Map(units.map((unit, at) => [at, unit.stageMs])), mergeMs };
  } catch (error) {
    if (coordinator.usable()) await dropFresh(coordinator, table);
    if (!options.signal.aborted) tellFallback(options, errorRecordOf(error));
    return null;
  } finally {
    await parts.close();
  }
}

interface CopyOptions extends FreshOptions {
  readonly parts: FileParts;
  readonly tell: TellNews;
}

async function copyAll(options: CopyOptions, fresh: string): Promise<FreshUnit[]> {
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
  { pool, plan, task, parts, tell }: CopyOptions,
  unit: UnitPlan,
  sqlName: string,
): Promise<FreshUnit> {
  const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
  const part = await parts.partOf(unit);
  const order = { load: task, unit: unit.ordinal, files, attempt: 1, part };
  const session = pool.open({ kind: 'fresh-copy', task: order, sqlName }, (news) =>
    tell(unit, news, 1),
  );
  try {
    const copied = (await session.call('copy')) as FreshUnit;
    // The ordinary road tells what COPY refused, and loads the files before it.
    if (copied.failure !== null) throw EtlError.fromRecord(copied.failure.error);
    return copied;
  } finally {
    await session.close();
  }
}

async function publish(
  { coordinator, connectOptions, plan, table, task, loadIndex, signal, onEvent }: FreshOptions,
  fresh: string,
  files: readonly StagedFile[],
): Promise<void> {
  for (const { file } of files) {
    onEvent({ kind: 'file-merging', load: loadIndex, file: file.ordinal });
  }
  await inTransaction(coordinator, async () => {
    // The key of many rows takes its time, and so may the others who read the table.
    await cancellable(coordinator, connectOptions, signal, async (heeding) => {
      const tableOid = await swapFresh(heeding, table, fresh, plan.key);
      for (const index of missingIndexes(plan)) {
        await heeding.query(createIndexSql(table, index, 'at once'));
      }
      const entries = files.map((file) => ledgerEntry(file, insertedOnly(file.rows)));
      await writeLedger(heeding, { ...task.ledger, tableOid }, entries);
    });
  });
}

function tellFallback({ onEvent, loadIndex, table }: FreshOptions, record: ErrorRecord): void {
  const sentence =
    `${table.sqlName} could not be filled before its key was added (${plainSentence(record.sentence, null, null)}) ` +
    'It is loaded through staging instead.';
  onEvent({ kind: 'notice', load: loadIndex, sentence });
}
