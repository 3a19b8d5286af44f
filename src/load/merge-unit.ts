import { assert, present } from '../assert.ts';
import { EtlError, errorRecordOf } from '../errors.ts';
import { retryable } from '../conflict/retry-policy.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import type { Connection } from '../target/connect.ts';
import type { Counts } from '../target/counts.ts';
import { writeLedger, type LedgerEntry, type LoadedFile } from '../target/ledger.ts';
import { merge } from '../target/merge.ts';
import type { StagingTable } from '../target/staging.ts';
import { tellFilesApart } from '../target/tell-files-apart.ts';
import { inTransaction } from '../target/transaction.ts';
import type { MergedUnit } from './unit-session.ts';
import type { LoadTask, StagedFile } from './unit-task.ts';

/** A merged unit without its durations. */
export type MergedRows = Omit<MergedUnit, 'stageMs' | 'mergeMs'>;

const NONE: Counts = {
  rowsRead: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  superseded: 0,
  rejected: 0,
};

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
  if (staged.length === 0) return { counts: NONE, files: [], failure: null };
  try {
    const counts = await mergeFiles(connection, load, table, staged);
    return mergedRows(staged, counts);
  } catch (error) {
    if (!refusesRow(error)) throw error;
    const only = staged[0];
    assert(only !== undefined, 'a unit has a file');
    if (staged.length === 1) return failedAt(only, error, []);
    return mergeOneByOne(connection, load, table, staged);
  }
}

async function mergeOneByOne(
  connection: Connection,
  load: LoadTask,
  table: StagingTable | null,
  staged: readonly StagedFile[],
): Promise<MergedRows> {
  const done: { file: number; counts: Counts }[] = [];
  if (table !== null) await tellApart(connection, table, staged);
  for (const file of staged) {
    try {
      const counts = await mergeFiles(connection, load, table, [file]);
      done.push({ file: file.file.ordinal, counts });
    } catch (error) {
      if (!refusesRow(error)) throw error;
      return failedAt(file, error, done);
    }
  }
  return { counts: sumCounts(done.map((entry) => entry.counts)), files: done, failure: null };
}

/** Small files that one COPY brought are staged under the first one's ordinal. */
async function tellApart(
  connection: Connection,
  table: StagingTable,
  staged: readonly StagedFile[],
): Promise<void> {
  const copies = new Map<number, StagedFile[]>();
  for (const file of staged) {
    const together = copies.get(file.stagedAs);
    if (together === undefined) copies.set(file.stagedAs, [file]);
    else together.push(file);
  }
  for (const files of copies.values()) {
    if (files.length < 2) continue;
    const rows = files.map((file) => ({ ordinal: file.file.ordinal, rows: file.staged }));
    await tellFilesApart(connection, table, rows);
  }
}

async function mergeFiles(
  connection: Connection,
  load: LoadTask,
  table: StagingTable | null,
  files: readonly StagedFile[],
): Promise<Counts> {
  const rowsRead = files.reduce((sum, file) => sum + file.rows, 0);
  const single = files.length === 1 ? files[0] : undefined;
  return inTransaction(connection, async () => {
    const counts =
      rowsRead === 0 || table === null
        ? NONE
        : await mergeRows(connection, load, table, rowsRead, single?.file.ordinal ?? null);
    const entries = files.map((file) => ledgerEntry(file, single === undefined ? null : counts));
    await writeLedger(connection, load.ledger, entries);
    return counts;
  }).catch((error: unknown) => {
    throw loadedMeanwhile(error);
  });
}

async function mergeRows(
  connection: Connection,
  load: LoadTask,
  table: StagingTable,
  rowsRead: number,
  file: number | null,
): Promise<Counts> {
  const source = { tables: [table], file, owner: null };
  const merged = await merge(connection, load.target, source, {
    countRows: load.countRows,
    stagedRows: rowsRead,
  });
  const superseded = rowsRead - merged.inserted - merged.updated - merged.unchanged;
  assert(superseded >= 0, 'a merge does not count more rows than were staged');
  return { rowsRead, ...merged, superseded, rejected: 0 };
}

/** Counts of rows that were all new. */
export function insertedOnly(rows: number): Counts {
  return { ...NONE, rowsRead: rows, inserted: rows };
}

export function ledgerEntry(file: StagedFile, counts: Counts | null): LedgerEntry {
  return {
    path: file.file.path,
    ordinal: file.file.ordinal,
    bytes: file.file.bytes,
    mtimeMs: file.file.mtimeMs,
    contentHash: present(file.contentHash, `the hash of ${file.file.name}`),
    rowsRead: file.rows,
    counts,
  };
}

function mergedRows(staged: readonly StagedFile[], counts: Counts): MergedRows {
  const attributable = staged.length === 1 ? counts : null;
  const files = staged.map((file) => ({ file: file.file.ordinal, counts: attributable }));
  return { counts, files, failure: null };
}

/** What the ledger remembers of a merge whose COMMIT was never answered. */
export function mergedFromLedger(
  entries: readonly LoadedFile[],
  files: readonly FilePlan[],
): MergedUnit {
  const known = new Map(entries.map((entry) => [entry.path, entry]));
  const merged = files.flatMap((file) => {
    const entry = known.get(file.path);
    if (entry === undefined) return [];
    const counts = entry.counts === null ? null : { rowsRead: entry.rowsRead, ...entry.counts };
    return [{ file: file.ordinal, counts, rowsRead: entry.rowsRead }];
  });
  const counts = sumCounts(
    merged.map((file) => file.counts ?? { ...NONE, rowsRead: file.rowsRead }),
  );
  return { counts, files: merged, failure: null, stageMs: 0, mergeMs: 0 };
}

export function sumCounts(all: readonly Counts[]): Counts {
  const sum = { ...NONE };
  for (const counts of all) {
    for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name];
  }
  return sum;
}

/**
 * An earlier try of this run committed after all, while this one was at work: it is rolled back,
 * and the next try finds the file in the ledger (40003, statement_completion_unknown).
 */
function loadedMeanwhile(error: unknown): unknown {
  const record = errorRecordOf(error);
  if (record.facts.constraint !== 'ledger_once') return error;
  const facts = { ...record.facts, sqlState: '40003' };
  return new EtlError('ETL_SERVER', record.sentence, record.remedy, facts, { cause: error });
}

/** Whether the table refused a row of the file (SQLSTATE classes 22, 23, 44 and raised errors). */
function refusesRow(error: unknown): boolean {
  const record = errorRecordOf(error);
  const state = record.facts.sqlState ?? '';
  return /^(22|23|44|P0)/.test(state) && !retryable(record);
}

function failedAt(
  file: StagedFile,
  error: unknown,
  done: readonly { file: number; counts: Counts }[],
): MergedRows {
  const record = errorRecordOf(error);
  const facts = { ...record.facts, file: file.file.name };
  return {
    counts: sumCounts(done.map((entry) => entry.counts)),
    files: done,
    failure: {
      file: file.file.ordinal,
      error: new EtlError(record.code, record.sentence, record.remedy, facts).record,
    },
  };
}
