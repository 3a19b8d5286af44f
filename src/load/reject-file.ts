import { open, rename, rm } from 'node:fs/promises';
import { assert, present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { refuseFolder } from './reject-folder.ts';
import { rejectedJsonRows } from './rejected-json.ts';
import { rejectedCsvRows, rejectedParquetRows, type RejectedText } from './rejected-texts.ts';
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
 * record has as many as the header: these are what a person corrects.
 *
 * The input is read once more for it, up to its last rejected row, so that a row needs to be kept
 * nowhere but there. The file takes its name when it is whole and on disk, and before the rows that
 * it does not hold are committed: after a crash at any moment, no row is missing in both.
 *
 * @throws EtlError ETL_USAGE where it cannot be written, and what reading the input throws
 */
export async function writeRejectFile(
  { file, path, aside, spools, rejected, sifted }: RejectFile,
  signal: AbortSignal,
): Promise<void> {
  const rows = spooledRows(spools, file.ordinal);
  const texts = rejectedRows(file, rows, { sifted, signal });
  let written = 0;
  try {
    await rm(aside, { force: true });
    const out = await open(aside, 'wx', 0o600);
    try {
      await out.writeFile(header(file));
      for await (const text of texts) {
        await out.writeFile(lineOf(text));
        written++;
      }
      await out.sync();
    } finally {
      await out.close();
    }
    assert(written === rejected, `${written} of ${rejected} rejected rows are written`);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw isOfSystem(error) ? refuseFolder(path, error) : error;
  }
}

function rejectedRows(
  file: FilePlan,
  rows: AsyncGenerator<RejectedRow>,
  options: { readonly sifted: boolean; readonly signal: AbortSignal },
): AsyncGenerator<RejectedText> {
  const { description } = file;
  switch (description.kind) {
    case 'csv':
      return rejectedCsvRows(file, description, rows, options);
    case 'json':
      return rejectedJsonRows(file, description, rows, options.signal);
    case 'parquet':
      return rejectedParquetRows(file, description, rows, options.signal);
  }
}

const OWN_COLUMNS = [
  'etl_line',
  'etl_byte_offset',
  'etl_column',
  'etl_sqlstate',
  'etl_reason',
  'etl_raw',
] as const;

function header({ description }: FilePlan): string {
  const names = description.columns.map((column) =>
    typeof column === 'string' ? column : column.name,
  );
  return `${[...OWN_COLUMNS, ...names].map(field).join(',')}\n`;
}

function lineOf({ row, line, offset, raw, fields }: RejectedText): string {
  const own = [
    String(line),
    offset === null ? null : String(offset),
    row.column,
    row.sqlState,
    row.reason,
    raw,
  ];
  return `${[...own, ...fields].map(field).join(',')}\n`;
}

/** NULL is an empty field, an empty text a quoted one. */
function field(value: string | null): string {
  if (value === null) return '';
  const quotes = value === '' || /[",\r\n\\]/.test(value) || value.trim() !== value;
  return quotes ? `"${value.replaceAll('"', '""')}"` : value;
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
