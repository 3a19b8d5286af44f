import { readFile, stat } from 'node:fs/promises';
import { EtlError } from '../../errors.ts';
import { callOption, remedy } from '../../remedy.ts';
import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { parseText, type CsvFields } from '../../source/csv/parse-text.ts';
import { PLAIN_DIALECT } from '../../source/csv/plain-dialect.ts';
import { holdsRecord } from '../../target/record-ranges.ts';
import type { RejectRecord } from '../../target/reject-record.ts';
import { columnNames, OWN_COLUMNS } from './reject-file.ts';

/** A row of a reject file, corrected or not. */
export interface CorrectedRow {
  /** Number of the record in the input, from 1. */
  readonly record: number;
  /** The columns before the file's own, as they stand. */
  readonly own: CsvFields;
  /** By column of the input. */
  readonly fields: CsvFields;
}

/**
 * The rows of a reject file that wait to be corrected, in the order of the input; those that are loaded
 * already are left out. Null where the file is gone. Spreadsheets may have changed its delimiter,
 * its line ends and its order, and that is no matter; its columns must stand as they were written.
 *
 * @throws EtlError ETL_USAGE, ETL_LIMIT, ETL_CSV_MALFORMED
 */
export async function readCorrected(
  file: FilePlan,
  reject: RejectRecord,
): Promise<readonly CorrectedRow[] | null> {
  const text = await textOf(reject.rejectsPath);
  if (text === null) return null;
  const expected = [...OWN_COLUMNS, ...columnNames(file)];
  const [header, ...records] = recordsOf(text, expected.length, reject.rejectsPath);
  if (header === undefined || header.join('\n') !== expected.join('\n')) {
    throw unreadable(reject.rejectsPath, 'its header is not the one that it was written with');
  }
  const rows = new Map<number, CorrectedRow>();
  for (const [place, cells] of records.entries()) {
    const row = rowOf(cells, expected.length, place + 2, reject);
    if (rows.has(row.record)) {
      throw unreadable(reject.rejectsPath, `record ${row.record} comes twice in it`);
    }
    if (!holdsRecord(reject.corrected, row.record)) rows.set(row.record, row);
  }
  return [...rows.values()].sort((a, b) => a.record - b.record);
}

/** A row without any value is one whose fields could not be told apart, and were not filled in. */
export function isFilledIn({ fields }: CorrectedRow): boolean {
  return fields.some((field) => field !== null);
}

async function textOf(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > LIMITS.correctedBytesMax) {
      throw new EtlError(
        'ETL_LIMIT',
        `The reject file has ${size} bytes; up to ${LIMITS.correctedBytesMax} are loaded as corrected rows.`,
        remedy`Correct the input itself, and load it with ${callOption('force')}.`,
        { file: path, limit: LIMITS.correctedBytesMax },
      );
    }
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof EtlError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  }
}

function recordsOf(text: string, columns: number, path: string): readonly CsvFields[] {
  const delimiter = /^"?etl_record"?([,;\t|])/.exec(text)?.[1] ?? ',';
  try {
    return parseText(text, { ...PLAIN_DIALECT, delimiter }, columns);
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  }
}

function rowOf(
  cells: CsvFields,
  columns: number,
  place: number,
  { records, rejectsPath }: RejectRecord,
): CorrectedRow {
  if (cells.length !== columns) {
    throw unreadable(rejectsPath, `row ${place} has ${cells.length} fields, its header ${columns}`);
  }
  const record = Number(cells[0]);
  if (!/^\d+$/.test(cells[0] ?? '') || !holdsRecord(records, record)) {
    const named = JSON.stringify(cells[0] ?? '');
    throw unreadable(rejectsPath, `row ${place} has etl_record ${named}, and no such was rejected`);
  }
  const own = OWN_COLUMNS.length;
  return { record, own: cells.slice(0, own), fields: cells.slice(own) };
}

function unreadable(file: string, what: string): EtlError {
  return new EtlError(
    'ETL_USAGE',
    `The corrected rows cannot be read: ${what}.`,
    'Correct the values of the columns behind etl_raw only, and keep the file a CSV file.',
    { file },
  );
}
