import { open, rename, rm } from 'node:fs/promises';
import { assert, present } from '../../assert.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { inputOf } from '../../source/transform/input-of.ts';
import { createRecordRanges } from '../../target/record-ranges.ts';
import { refuseFolder } from './reject-folder.ts';
import { rejectedDocument } from './rejected-documents.ts';
import { rejectedJsonRows } from './rejected-json.ts';
import {
  rejectedCsvRows,
  rejectedParquetRows,
  type RejectedText,
  type TextOptions,
} from './rejected-texts.ts';
import { spooledRows, type RejectedRow } from './reject-spool.ts';

export interface RejectFile {
  readonly file: FilePlan;
  /** Where it goes, and where it is written before it is whole. */
  readonly path: string;
  readonly aside: string;
  readonly spools: readonly string[];
  readonly rejected: number;
  /** See StagedFile. */
  readonly sifted: boolean;
}

/** `aside` begins the path of a file that nobody else writes at the same time. */
export function rejectFileOf(
  paths: ReadonlyMap<number, string> | undefined,
  aside: string,
  file: Pick<RejectFile, 'file' | 'spools' | 'rejected' | 'sifted'>,
): RejectFile {
  const { ordinal } = file.file;
  const path = present(paths?.get(ordinal), `the reject file of file ${ordinal}`);
  return { ...file, path, aside: `${aside}-${ordinal}` };
}

/**
 * Writes the reject file of one input: a CSV file in UTF-8 that a spreadsheet opens. First where and
 * why, then the record as it stands (`etl_raw`), then its fields under their own names, where the
 * record has as many as the header: these are what a person corrects. Returns the numbers of its
 * records, as an int8multirange.
 *
 * The input is read once more for it, up to its last rejected row, so that a row needs to be kept
 * nowhere but there. The file takes its name when it is whole and on disk, and before the rows that
 * it does not hold are committed: after a crash at any moment, no row is missing in both.
 *
 * @throws EtlError ETL_USAGE where it cannot be written, ETL_NO_ROOM, and what reading the input throws
 */
export async function writeRejectFile(
  { file, path, aside, spools, rejected, sifted }: RejectFile,
  signal: AbortSignal,
): Promise<string> {
  const rows = spooledRows(spools, file.ordinal);
  const records = createRecordRanges();
  const texts = textsOf(file, rows, { sifted, signal });
  let written = 0;
  try {
    await rm(aside, { force: true });
    const out = await open(aside, 'wx', 0o600);
    try {
      await out.writeFile(rejectHeader(file));
      for await (const text of texts) {
        await out.writeFile(rejectLine(text));
        records.add(text.row.record);
        written++;
      }
      await out.sync();
    } finally {
      await out.close();
    }
    assert(written === rejected, `${written} of ${rejected} rejected rows are written`);
    await rename(aside, path);
    return records.text();
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw isOfSystem(error) ? refuseFolder(path, error) : error;
  }
}

/** What stands in the file of some of its rows, which come in order; it is read up to the last. */
export function textsOf(
  file: FilePlan,
  rows: AsyncGenerator<RejectedRow>,
  options: TextOptions,
): AsyncGenerator<RejectedText> {
  const description = inputOf(file.description);
  switch (description.kind) {
    case 'csv':
      return rejectedCsvRows(file, description, rows, options);
    case 'document':
      return rejectedDocument(file, description, rows);
    case 'json':
      return rejectedJsonRows(file, description, rows, options.signal);
    case 'parquet':
      return rejectedParquetRows(file, description, rows, options.signal);
  }
}

/** The columns before the file's own. */
export const OWN_COLUMNS = [
  'etl_record',
  'etl_line',
  'etl_byte_offset',
  'etl_column',
  'etl_sqlstate',
  'etl_reason',
  'etl_raw',
] as const;

export function rejectHeader(file: FilePlan): string {
  return `${[...OWN_COLUMNS, ...columnNames(file)].map(csvField).join(',')}\n`;
}

/** Names of the file's columns, as the file has them. */
export function columnNames({ description }: FilePlan): string[] {
  const { columns } = inputOf(description);
  return columns.map((column) => (typeof column === 'string' ? column : column.name));
}

function rejectLine({ row, line, offset, raw, fields }: RejectedText): string {
  const own = [
    String(row.record),
    String(line),
    offset === null ? null : String(offset),
    row.column,
    row.sqlState,
    row.reason,
    raw,
  ];
  return `${[...own, ...fields].map(csvField).join(',')}\n`;
}

/** NULL is an empty field, an empty text a quoted one. */
export function csvField(value: string | null): string {
  if (value === null) return '';
  const quotes = value === '' || /[",\r\n\\]/.test(value) || value.trim() !== value;
  return quotes ? `"${value.replaceAll('"', '""')}"` : value;
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
