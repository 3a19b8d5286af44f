import { present } from '../assert.ts';
import { errorRecordOf, EtlError, type ErrorRecord } from '../errors.ts';
import { plainSentence } from '../load/copy-error.ts';
import type { FreshFile, FreshUnit } from '../load/fresh-copy.ts';
import { LIMITS } from '../limits.ts';
import { insertedOnly, ledgerEntry } from '../load/merge-unit.ts';
import { writeRejects } from '../load/quarantine/merge-quarantined.ts';
import type { LoadTask, StagedFile } from '../load/unit-task.ts';
import { missingIndexes } from '../plan/plan-indexes.ts';
import type { LoadPlan, UnitPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import { cancellable } from '../target/backends.ts';
import type { Connection, ConnectOptions } from '../target/connect.ts';
import { createFresh, dropFresh, freshName, swapFresh } from '../target/fresh-table.ts';
import { createIndexSql } from '../target/indexes.ts';
import { writeLedger, type LedgerContext } from '../target/ledger.ts';
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
  /** See LoadQuarantine. */
  readonly rejectPaths: ReadonlyMap<number, string>;
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

interface CopiedUnit {
  readonly staged: readonly StagedFile[];
  readonly stageMs: number;
}

async function copyAll(options: CopyOptions, fresh: string): Promise<CopiedUnit[]> {
  const { plan, signal } = options;
  const units: CopiedUnit[] = [];
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
): Promise<CopiedUnit> {
  const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
  const part = await parts.partOf(unit);
  const order = { load: task, unit: unit.ordinal, files, attempt: 1, part };
  const session = pool.open({ kind: 'fresh-copy', task: order, sqlName }, (news) =>
    tell(unit, news, 1),
  );
  try {
    const { staged, failure, stageMs } = (await session.call('copy')) as FreshUnit;
    // The ordinary road tells what COPY refused, and loads the files before it.
    if (failure !== null) throw EtlError.fromRecord(failure.error);
    return { staged: staged.map((file) => stagedFile(file, plan.files)), stageMs };
  } finally {
    await session.close();
  }
}

/** Property by property, as in stagedDocument. */
function stagedFile(fresh: FreshFile, files: LoadPlan['files']): StagedFile {
  return {
    file: present(files[fresh.ordinal], 'a file that was copied'),
    rows: fresh.rows,
    staged: fresh.staged,
    contentHash: fresh.contentHash,
    stagedAs: fresh.stagedAs,
    numbered: fresh.numbered,
    sifted: fresh.sifted,
    rejected: fresh.rejected,
    spools: fresh.spools,
  };
}

async function publish(
  options: FreshOptions,
  fresh: string,
  files: readonly StagedFile[],
): Promise<void> {
  const { coordinator, connectOptions, plan, table, task, loadIndex, signal, onEvent } = options;
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
      const ledger = { ...task.ledger, tableOid };
      await writeFreshRejects(options, heeding, ledger, files);
      await writeFreshLedger(heeding, ledger, files);
    });
  });
}

/** Statement by statement: the entries of very many documents are large, and so is the JSON that they go as. */
async function writeFreshLedger(
  connection: Connection,
  ledger: LedgerContext,
  files: readonly StagedFile[],
): Promise<void> {
  const most = LIMITS.recordedFilesPerStatement;
  for (let at = 0; at < files.length; at += most) {
    const some = files.slice(at, at + most);
    const entries = some.map((one) => ledgerEntry(one, insertedOnly(one.rows, one.rejected)));
    await writeLedger(connection, ledger, entries);
  }
}

/** A file that has more bad rows than it may is for the ordinary road to tell. */
async function writeFreshRejects(
  { task, rejectPaths, signal }: FreshOptions,
  connection: Connection,
  ledger: LedgerContext,
  files: readonly StagedFile[],
): Promise<void> {
  const { quarantine } = task;
  if (quarantine === null) return;
  const order = { load: { ...task, ledger }, unit: 0, rejectPaths };
  const tooMany = await writeRejects(connection, order, quarantine, files, signal);
  if (tooMany !== null) throw tooMany.error;
}

function tellFallback({ onEvent, loadIndex, table }: FreshOptions, record: ErrorRecord): void {
  const sentence =
    `${table.sqlName} could not be filled before its key was added (${plainSentence(record.sentence, null, null)}) ` +
    'It is loaded through staging instead.';
  onEvent({ kind: 'notice', load: loadIndex, sentence });
}
