import { stat } from 'node:fs/promises';
import { present } from '../../assert.ts';
import type { ErrorRecord } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { openCsvRecords } from '../../source/csv/csv-records.ts';
import { parseText, type CsvFields } from '../../source/csv/parse-text.ts';
import { PLAIN_DIALECT } from '../../source/csv/plain-dialect.ts';
import type { FileReport } from '../report-types.ts';
import type { RejectedRow } from './bad-row.ts';
import { indexOfRecord, type SpoolFile } from './spool-file.ts';
import type { Spool } from './spool-rows.ts';

/**
 * The rows that were rejected, by the caller's own count: those that were not even spooled, and those
 * that the load's reject files name. At most LIMITS.rejectedRowsToldMax, the first ones.
 */
export async function rejectedRows(
  spool: Spool,
  files: readonly FileReport[],
): Promise<readonly RejectedRow[]> {
  const told = [...spool.rejected];
  for (const [ordinal, { rejects }] of files.entries()) {
    if (rejects === null) continue;
    await addRejects(rejects, present(spool.files[ordinal], `file ${ordinal}`), told);
  }
  return told.sort((a, b) => a.index - b.index).slice(0, LIMITS.rejectedRowsToldMax);
}

const COLUMNS = ['etl_record', 'etl_column', 'etl_sqlstate', 'etl_reason'] as const;
const RECORDS_AT_ONCE = 1_000;

async function addRejects(path: string, file: SpoolFile, told: RejectedRow[]): Promise<void> {
  const { size: bytes, mtimeMs } = await stat(path);
  const source = { path, name: path, format: 'csv', compression: 'none', bytes, mtimeMs } as const;
  const description = {
    kind: 'csv',
    columns: COLUMNS,
    dialect: PLAIN_DIALECT,
    path: 'bytes',
  } as const;
  const { cutter } = openCsvRecords(source, description, null);
  const most = told.length + LIMITS.rejectedRowsToldMax;
  let places: readonly number[] | null = null;
  for (;;) {
    // Read to its end, which closes it; what is not told is not parsed.
    const batch = await cutter.next(places === null ? 1 : RECORDS_AT_ONCE);
    if (batch === null) return;
    if (told.length >= most) continue;
    const rows = parseText(batch.bytes.toString(), PLAIN_DIALECT, COLUMNS.length);
    if (places === null) places = COLUMNS.map((name) => present(rows[0], 'a header').indexOf(name));
    else for (const row of rows) told.push(rejectedRow(row, places, file));
  }
}

function rejectedRow(row: CsvFields, places: readonly number[], file: SpoolFile): RejectedRow {
  const [record, column, sqlState, reason] = places.map((place) => row[place] ?? null);
  const index = indexOfRecord(file, Number(record));
  const facts = {
    index,
    ...(column === null || column === undefined ? {} : { column }),
    ...(sqlState === null || sqlState === undefined ? {} : { sqlState }),
  };
  return {
    index,
    error: { code: 'ETL_ROW_INVALID', sentence: reason ?? '', remedy: '', facts },
  };
}

/** An error that names a record of a spool file, told by the caller's own count of rows. */
export function withIndex(error: ErrorRecord, { files }: Pick<Spool, 'files'>): ErrorRecord {
  const { file: name, line, record = line, ...facts } = error.facts;
  const file = files.find(({ file: { name: own, path } }) => name === own || name === path);
  if (file === undefined) return error;
  return {
    ...error,
    facts: record === undefined ? facts : { ...facts, index: indexOfRecord(file, record) },
  };
}
