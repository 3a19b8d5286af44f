import { assert } from '../../assert.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { parseText } from './parse-text.ts';
import type { CsvFields } from './parse-text.ts';
import { splitRecords } from './split-records.ts';
import type { SplitRecords } from './split-records.ts';
import { decodeText } from './text-encoding.ts';

/** What of a file's records a sample takes. */
export interface SampledColumns {
  readonly file: SourceFile;
  readonly description: CsvDescription;
  /** Indexes of the columns, in the order wanted. */
  readonly fields: readonly number[];
}

export function fieldsOf(
  { columns }: CsvDescription,
  wanted: readonly string[],
): readonly number[] {
  const fields = wanted.map((column) => columns.indexOf(column));
  assert(!fields.includes(-1), 'the columns of a sample are columns of the file');
  assert(new Set(fields).size === fields.length, 'a sample has each column once');
  return fields;
}

/**
 * The rows of some bytes that begin and end at records. Those that do not parse or have a wrong
 * number of fields are left out.
 */
export function sampleRows(sampled: SampledColumns, bytes: Buffer): SplitRecords {
  const { dialect, columns, path } = sampled.description;
  const wanted = { dialect, columns: columns.length, fields: sampled.fields };
  const split = path === 'bytes' ? splitRecords(bytes, wanted) : null;
  return split ?? parsedRows(sampled, bytes);
}

function parsedRows({ file, description, fields }: SampledColumns, bytes: Buffer): SplitRecords {
  const { dialect, columns } = description;
  const text = decodeText(file, bytes, dialect.encoding, false);
  const records = parseText(text, dialect, columns.length, { skip_records_with_error: true });
  const fitting = records.filter((record) => record.length === columns.length);
  const rows = fitting.map((record): CsvFields => fields.map((field) => record[field] ?? null));
  return { rows, records: records.length };
}
