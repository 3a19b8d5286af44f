import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import { plainSentence } from '../load/copy-error.ts';
import { LIMITS } from '../limits.ts';
import { insertedOnly, ledgerEntry } from '../load/merge-unit.ts';
import { unitAside, writeRejects } from '../load/quarantine/write-rejects.ts';
import type { StagedFiles } from '../load/staged-documents.ts';
import { missingIndexes } from '../plan/plan-indexes.ts';
import { cancellable } from '../target/backends.ts';
import type { Connection, ConnectOptions } from '../target/connect.ts';
import { createFresh, dropFresh, freshName, swapFresh } from '../target/fresh-table.ts';
import { createIndexSql } from '../target/indexes.ts';
import type { LedgerContext, LedgerEntry } from '../target/ledger.ts';
import type { TargetTable } from '../target/table.ts';
import { inTransaction } from '../target/transaction.ts';
import { copyLedger, writeLedger } from '../target/write-ledger.ts';
import { createFileParts } from './file-parts.ts';
import { copyFreshUnits } from './fresh-units.ts';
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
  const { coordinator, table, task } = options;
  const fresh = freshName(table, task.ledger.runId);
  const parts = createFileParts(options);
  const tell = createPartEvents(options.loadIndex, options.onEvent);
  try {
    await createFresh(coordinator, table, fresh);
    const { staged: files, stageMs } = await copyFreshUnits({ ...options, parts, tell }, fresh);
    const startedAt = performance.now();
    await publish(options, fresh, files);
    const mergeMs = performance.now() - startedAt;
    return { files, stageMs, mergeMs };
  } catch (error) {
    if (coordinator.usable()) await dropFresh(coordinator, table);
    if (!options.signal.aborted) tellFallback(options, errorRecordOf(error));
    return null;
  } finally {
    await parts.close();
  }
}

async function publish(options: FreshOptions, fresh: string, files: StagedFiles): Promise<void> {
  const { coordinator, connectOptions, plan, table, task, loadIndex, signal, onEvent } = options;
  await forEachFile(plan.files, ({ ordinal, skip }) => {
    if (skip === null) onEvent({ kind: 'file-merging', load: loadIndex, file: ordinal });
  });
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

async function writeFreshLedger(
  connection: Connection,
  ledger: LedgerContext,
  files: StagedFiles,
): Promise<void> {
  if (files.length > LIMITS.recordedFilesPerStatement) {
    await copyLedger(connection, ledger, freshEntries(files));
  } else {
    await writeLedger(connection, ledger, [...freshEntries(files)]);
  }
}

function* freshEntries(files: StagedFiles): Generator<LedgerEntry> {
  // Of documents all have the same.
  let counts = insertedOnly(0);
  for (const one of files) {
    if (counts.rowsRead !== one.rows || counts.rejected !== one.rejected) {
      counts = insertedOnly(one.rows, one.rejected);
    }
    yield ledgerEntry(one, counts);
  }
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
