import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import { plainSentence } from '../load/copy-error.ts';
import { unitAside, writeRejects } from '../load/quarantine/write-rejects.ts';
import type { StagedFiles } from '../load/staged-documents.ts';
import { missingIndexes } from '../plan/plan-indexes.ts';
import { cancellable } from '../target/backends.ts';
import type { Connection, ConnectOptions } from '../target/connect.ts';
import { createFresh, dropFresh, freshName, swapFresh } from '../target/fresh-table.ts';
import { createIndexSql } from '../target/indexes.ts';
import type { LedgerContext } from '../target/ledger.ts';
import type { TargetTable } from '../target/table.ts';
import { inTransaction } from '../target/transaction.ts';
import { createFileParts } from './file-parts.ts';
import { createFreshLedger, type FreshLedger } from './fresh-ledger.ts';
import { copyFreshUnits, type CopiedUnits } from './fresh-units.ts';
import type { LoadWork } from './load-work.ts';
import { createPartEvents } from './part-events.ts';
import { forEachFile } from './tell-files.ts';

/**
 * A table that this run has created is filled without its index, as a twin that nobody sees; then
 * the twin gets the key and the name, in one transaction with the ledger's rows. Three million rows
 * take a third of the time that they take through the index.
 *
 * That is right only where no key comes twice, which is known only once the key is added: so it is
 * tried where the sample saw none, and whatever goes wrong (a duplicate, a bad row, a lost connection)
 * drops the twin and loads the files through staging, which has the answer for each of them.
 * A crash leaves an empty table and a twin that the next run drops.
 */
export interface FreshOptions extends LoadWork {
  readonly table: TargetTable;
  readonly connectOptions: ConnectOptions;
}

/** What the twin was filled with; every row was new. */
export interface FreshOutcome {
  readonly files: StagedFiles;
  /** By unit. */
  readonly stageMs: ReadonlyMap<number, number>;
  readonly mergeMs: number;
}

/** Null: the twin is dropped, and the load is to be made in the ordinary way. */
export async function runFreshLoad(options: FreshOptions): Promise<FreshOutcome | null> {
  const { coordinator, plan, table, task } = options;
  const name = freshName(table, task.ledger.runId);
  try {
    const context = { ...task.ledger, tableOid: await createFresh(coordinator, table, name) };
    const ledger = createFreshLedger(coordinator, plan, context);
    const { since, ...filled } = await fillAndPublish(options, { name, context, ledger });
    return { ...filled, mergeMs: performance.now() - since };
  } catch (error) {
    if (coordinator.usable()) await dropFresh(coordinator, table);
    if (!options.signal.aborted) tellFallback(options, errorRecordOf(error));
    return null;
  }
}

interface Twin {
  readonly name: string;
  /** With the oid of the twin, which is the table's then. */
  readonly context: LedgerContext;
  readonly ledger: FreshLedger;
}

/** A twin that has the table's name; `since`: when the copies had ended. */
type Published = Omit<FreshOutcome, 'mergeMs'> & { readonly since: number };

async function fillAndPublish(options: FreshOptions, twin: Twin): Promise<Published> {
  const { coordinator } = options;
  const { ledger } = twin;
  if (!ledger.meanwhile) {
    const filled = await fill(options, twin);
    return inTransaction(coordinator, () => publish(options, twin, filled));
  }
  return inTransaction(coordinator, async () => {
    try {
      return await publish(options, twin, await fill(options, twin));
    } catch (error) {
      // What came behind the rollback would stay.
      await ledger.stop();
      throw error;
    }
  });
}

async function fill(options: FreshOptions, { name, ledger }: Twin): Promise<CopiedUnits> {
  const parts = createFileParts(options);
  const tell = createPartEvents(options.loadIndex, options.onEvent);
  try {
    return await copyFreshUnits({ ...options, parts, tell, onCopied: ledger.add }, name);
  } finally {
    await parts.close();
  }
}

/** Inside the transaction. */
async function publish(
  options: FreshOptions,
  { name, context, ledger }: Twin,
  { staged: files, stageMs }: CopiedUnits,
): Promise<Published> {
  const { coordinator, connectOptions, plan, table, loadIndex, signal, onEvent } = options;
  const since = performance.now();
  await forEachFile(plan.files, ({ ordinal, skip }) => {
    if (skip === null) onEvent({ kind: 'file-merging', load: loadIndex, file: ordinal });
  });
  await ledger.settled();
  // The key of many rows takes its time, and so may the others who read the table.
  await cancellable(coordinator, connectOptions, signal, async (heeding) => {
    await swapFresh(heeding, table, name, plan.key);
    for (const index of missingIndexes(plan)) {
      await heeding.query(createIndexSql(table, index, 'at once'));
    }
    await writeFreshRejects(options, heeding, context, files);
    await ledger.end(files);
  });
  return { files, stageMs, since };
}

/** A file that has more bad rows than it may is told by the load through staging. */
async function writeFreshRejects(
  { task, rejectPaths, signal }: FreshOptions,
  connection: Connection,
  ledger: LedgerContext,
  files: StagedFiles,
): Promise<void> {
  if (task.quarantine === null) return;
  const order = { load: { ...task, ledger }, unit: 0, rejectPaths };
  const bad = [...files].filter(({ rejected }) => rejected > 0);
  const tooMany = await writeRejects(connection, order, unitAside(order), bad, signal);
  if (tooMany !== null) throw tooMany.error;
}

function tellFallback({ onEvent, loadIndex, table }: FreshOptions, record: ErrorRecord): void {
  const sentence =
    `${table.sqlName} could not be filled before its key was added (${plainSentence(record.sentence, null, null)}) ` +
    'It is loaded through staging instead.';
  onEvent({ kind: 'notice', load: loadIndex, sentence });
}
