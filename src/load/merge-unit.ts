import { assert, present } from '../assert.ts';
import { EtlError, errorRecordOf } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { ledgerPath } from '../source/ledger-path.ts';
import type { Connection } from '../target/connect.ts';
import { NO_ROWS, type Counts, type TargetCounts } from '../target/counts.ts';
import type { LedgerEntry, LoadedFile } from '../target/ledger.ts';
import { merge } from '../target/merge.ts';
import type { StagingTable } from '../target/staging.ts';
import { inJoinedTransaction } from '../target/transaction.ts';
import { writeLedger } from '../target/write-ledger.ts';
import { mergeFurther, sumTargets } from './merge-further.ts';
import { isRowFaultError } from './quarantine/quarantine.ts';
import { tellApart } from './tell-apart.ts';
import { tableChanged } from './table-changed.ts';
import type { MergedFile, MergedUnit } from './unit-session.ts';
import type { LoadTask, StagedFile } from './unit-task.ts';

/** A merged unit without its durations. */
export type MergedRows = Omit<MergedUnit, 'stageMs' | 'mergeMs'>;

/**
 * Merges the staged files in one transaction, with their ledger rows. When the table refuses a row
 * (a CHECK, a foreign key) and the unit is a group, the files are merged one by one instead, so
 * that only the file at fault is rolled back.
 */
export async function mergeStaged(
  connection: Connection,
  load: LoadTask,
  table: StagingTable | null,
  staged: readonly StagedFile[],
): Promise<MergedRows> {
  const [only] = staged;
  if (only === undefined) return { counts: NO_ROWS, files: [], failure: null };
  try {
    return mergedRows(staged, await mergeFiles(connection, load, table, staged));
  } catch (error) {
    if (!isRowFaultError(error)) throw error;
    if (staged.length > 1) return mergeOneByOne(connection, load, table, staged);
    return mergeRowByRow(connection, load, table, only, error);
  }
}

/**
 * A file whose rows one statement could not merge, row by row: where no order is asked for (mergeCoupled)
 * that statement goes in the order of the keys, and a row may free the value of another unique index that
 * a later row takes; and a trigger may give two rows one key. What is refused even then is refused for good.
 */
export async function mergeRowByRow(
  connection: Connection,
  load: LoadTask,
  table: StagingTable | null,
  file: StagedFile,
  refusal: unknown,
): Promise<MergedRows> {
  const { sqlState = '' } = errorRecordOf(refusal).facts;
  // In several tables, a row goes to all of them before the next one does.
  if (!OF_ORDER.has(sqlState) || load.further !== undefined) return failedAt(file, refusal, []);
  try {
    return mergedRows([file], await mergeFiles(connection, load, table, [file], true));
  } catch (error) {
    if (!isRowFaultError(error)) throw error;
    return failedAt(file, error, []);
  }
}

/** unique_violation, exclusion_violation, and cardinality_violation: a trigger gave two rows one key. */
const OF_ORDER: ReadonlySet<string> = new Set(['23505', '23P01', '21000']);

export async function mergeOneByOne(
  connection: Connection,
  load: LoadTask,
  table: StagingTable | null,
  staged: readonly StagedFile[],
): Promise<MergedRows> {
  const done: MergedFile[] = [];
  const targets: MergedTables['targets'][] = [];
  const soFar = (): Pick<MergedRows, 'targets'> =>
    load.further === undefined ? {} : { targets: sumTargets(load.further.length, targets) };
  if (table !== null) await tellApart(connection, table, staged);
  for (const file of staged) {
    try {
      const merged = await mergeFiles(connection, load, table, [file]);
      done.push(mergedFile(file, merged.counts));
      targets.push(merged.targets);
    } catch (error) {
      if (!isRowFaultError(error)) throw error;
      const merged = await mergeRowByRow(connection, load, table, file, error);
      const [only] = merged.files;
      if (only === undefined) return { ...merged, counts: countsOf(done), files: done, ...soFar() };
      done.push(only);
    }
  }
  return { counts: countsOf(done), files: done, ...soFar(), failure: null };
}

/** What a transaction has merged, into the load's table and into each further one. */
export interface MergedTables {
  readonly counts: Counts;
  readonly targets?: readonly TargetCounts[];
}

export async function mergeFiles(
  connection: Connection,
  load: LoadTask,
  table: StagingTable | null,
  files: readonly StagedFile[],
  rowByRow = false,
): Promise<MergedTables> {
  const rowsRead = files.reduce((sum, file) => sum + file.rows, 0);
  const single = files.length === 1 ? files[0] : undefined;
  return inJoinedTransaction(connection, async (open, sent) => {
    const only = single?.file.ordinal ?? null;
    const counts =
      rowsRead === 0 || table === null
        ? notSent(files, rowsRead)
        : await mergeRows(open, load, table, files, only, rowByRow);
    const merged: MergedTables =
      load.further === undefined
        ? { counts }
        : {
            counts,
            targets: await mergeFurther(open, load, table, only, rowsRead - counts.rejected),
          };
    const entries = files.map((file) => ledgerEntry(file, single === undefined ? null : counts));
    sent(writeLedger(open, load.ledger, entries));
    return merged;
  }).catch((error: unknown) => {
    throw tableChanged(loadedMeanwhile(error), load.sqlName);
  });
}

async function mergeRows(
  connection: Connection,
  load: LoadTask,
  table: StagingTable,
  files: readonly StagedFile[],
  file: number | null,
  rowByRow: boolean,
): Promise<Counts> {
  const source = { tables: [table], file, owner: null };
  const rowsRead = files.reduce((sum, one) => sum + one.rows, 0);
  const rejected = files.reduce((sum, one) => sum + one.rejected, 0);
  const left = leftOutOf(files);
  const merged = await merge(connection, load.target, source, {
    countRows: load.countRows,
    stagedRows: rowsRead - rejected - left,
    ...(rowByRow ? { rowByRow } : {}),
  });
  const unchanged = merged.unchanged + left;
  const superseded = rowsRead - rejected - merged.inserted - merged.updated - unchanged;
  assert(superseded >= 0, 'a merge does not count more rows than were staged');
  return { rowsRead, ...merged, unchanged, superseded, rejected };
}

/** Rows that were not sent since the table holds them as they are, each once a file. */
function leftOutOf(files: readonly StagedFile[]): number {
  return files.reduce((sum, { unchanged = 0 }) => sum + unchanged, 0);
}

/** Counts of files of which nothing is staged. */
function notSent(files: readonly StagedFile[], rowsRead: number): Counts {
  const unchanged = leftOutOf(files);
  return {
    ...NO_ROWS,
    rowsRead,
    unchanged,
    superseded: unchanged === 0 ? 0 : rowsRead - unchanged,
  };
}

/** Counts of rows that were all new, but for those that were rejected. */
export function insertedOnly(rows: number, rejected = 0): Counts {
  return { ...NO_ROWS, rowsRead: rows, inserted: rows - rejected, rejected };
}

export function ledgerEntry(file: StagedFile, counts: Counts | null): LedgerEntry {
  return {
    path: ledgerPath(file.file),
    ordinal: file.file.ordinal,
    bytes: file.file.bytes,
    mtimeMs: file.file.mtimeMs,
    ctimeMs: file.file.ctimeMs,
    realPath: file.file.realPath,
    contentHash: present(file.contentHash, `the hash of ${file.file.name}`),
    rowsRead: file.rows,
    rejected: file.rejected,
    counts,
  };
}

export function mergedRows(staged: readonly StagedFile[], merged: MergedTables): MergedRows {
  const attributable = staged.length === 1 ? merged.counts : null;
  return { ...merged, files: staged.map((file) => mergedFile(file, attributable)), failure: null };
}

function mergedFile({ file, rejected }: StagedFile, counts: Counts | null): MergedFile {
  return { file: file.ordinal, counts, rejected };
}

/** Of files that were merged by themselves. */
function countsOf(files: readonly MergedFile[]): Counts {
  return sumCounts(files.flatMap(({ counts }) => counts ?? []));
}

/** What the ledger remembers of a merge whose COMMIT was never answered. */
export function mergedFromLedger(
  entries: readonly LoadedFile[],
  files: readonly FilePlan[],
): MergedUnit {
  const known = new Map(entries.map((entry) => [entry.path, entry]));
  const merged = files.flatMap((file) => {
    const entry = known.get(ledgerPath(file));
    if (entry === undefined) return [];
    const { rowsRead, rejected } = entry;
    const counts = entry.counts === null ? null : { rowsRead, ...entry.counts };
    return [{ file: file.ordinal, counts, rejected, rowsRead }];
  });
  const counts = sumCounts(
    merged.map(
      (file) => file.counts ?? { ...NO_ROWS, rowsRead: file.rowsRead, rejected: file.rejected },
    ),
  );
  // Those of further tables it does not keep.
  return { counts, files: merged, failure: null, stageMs: 0, mergeMs: 0 };
}

export function sumCounts(all: readonly Counts[]): Counts {
  const sum = { ...NO_ROWS };
  for (const counts of all) {
    for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name];
  }
  return sum;
}

/**
 * An earlier try of this run committed after all, while this one was at work: it is rolled back,
 * and the next try finds the file in the ledger (40003, statement_completion_unknown).
 */
export function loadedMeanwhile(error: unknown): unknown {
  const record = errorRecordOf(error);
  if (record.facts.constraint !== 'ledger_once') return error;
  const facts = { ...record.facts, sqlState: '40003' };
  return new EtlError('ETL_SERVER', record.sentence, record.remedy, facts, { cause: error });
}

export function failedAt(
  file: StagedFile,
  error: unknown,
  done: readonly MergedFile[],
): MergedRows {
  const record = errorRecordOf(error);
  const facts = { ...record.facts, file: file.file.name };
  return {
    counts: countsOf(done),
    files: done,
    failure: {
      file: file.file.ordinal,
      error: new EtlError(record.code, record.sentence, record.remedy, facts).record,
    },
  };
}
