import { Readable, pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import { LIMITS } from '../../limits.ts';
import { decompressed } from '../compression.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { problemOfFieldCount, problemOfParser } from './csv-problem.ts';
import { totalsOf } from './csv-stream.ts';
import type { CsvReadOptions, CsvStream } from './csv-stream.ts';
import { withoutHead } from './data-chunks.ts';
import type { PassedHead } from './data-chunks.ts';
import { locateRecord, locateUnreadable } from './locate-record.ts';
import { parserOptions, withNulls } from './parse-text.ts';
import type { CsvFields, RawRecord } from './parse-text.ts';
import { toUtf8 } from './text-encoding.ts';

export interface CsvRowsOptions extends CsvReadOptions {
  /** Records of one chunk, at most. */
  readonly subBatchSize: number;
}

/**
 * The slow path, for dialects that COPY lacks: csv-parse reads, and what goes out is UTF-8 with
 * commas, double quotes, LF, and NULL as an unquoted empty field (an empty string is `""`).
 * About 0.1 million records per CPU second, most of them csv-parse's own.
 *
 * @throws EtlError (while iterating) ETL_CSV_MALFORMED for what csv-parse refuses and for a wrong
 *   number of fields, ETL_FILE_FORMAT for bytes not of the encoding, and what reading throws
 */
export function openCsvRows(
  file: SourceFile,
  description: CsvDescription,
  { signal, onProgress, subBatchSize }: CsvRowsOptions,
): CsvStream {
  const source = decompressed(file, signal === undefined ? {} : { signal });
  let records = 0;
  async function* rewritten(): AsyncGenerator<Buffer> {
    let batch = '';
    let batched = 0;
    for await (const fields of parsedRecords(file, description, source.chunks)) {
      records++;
      const problem = problemOfFieldCount(fields.length, description);
      if (problem !== null) throw await wrongFieldCount(file, description, records, problem);
      batch += canonicalRecord(fields);
      batched++;
      if (batched < subBatchSize && batch.length < LIMITS.readChunkBytes) continue;
      yield Buffer.from(batch);
      batch = '';
      batched = 0;
      onProgress?.(records, source.bytesRead());
    }
    if (batch !== '') yield Buffer.from(batch);
    onProgress?.(records, source.bytesRead());
  }
  return { chunks: rewritten(), totals: totalsOf(source, () => ({ records, strayQuotes: 0 })) };
}

async function* parsedRecords(
  file: SourceFile,
  description: CsvDescription,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<CsvFields> {
  const { dialect, columns } = description;
  const passed: PassedHead = { bytes: 0, lines: 0 };
  const text = withoutHead(toUtf8(file, chunks, dialect.encoding), dialect, passed);
  const parser = parse({ ...parserOptions(dialect, columns.length), raw: true });
  // The error comes out of the loop below: pipeline destroys the parser with it.
  pipeline(Readable.from(text, { highWaterMark: 1 }), parser, () => undefined);
  try {
    for await (const record of parser) yield withNulls(record as RawRecord, dialect);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw await unreadableRecord(file, description, error);
  }
}

export async function unreadableRecord(
  file: SourceFile,
  description: CsvDescription,
  error: CsvError,
): Promise<EtlError> {
  const located = await locateUnreadable(file, description);
  return new EtlError(
    'ETL_CSV_MALFORMED',
    `The record that begins here cannot be read: ${problemOfParser(error)}.`,
    remedy`Correct it, or set ${setting('csv.quote')} or ${setting('csv.escape')} to what the file has.`,
    { file: file.name, ...(located === null ? {} : { line: located.line }) },
    { cause: error },
  );
}

async function wrongFieldCount(
  file: SourceFile,
  description: CsvDescription,
  record: number,
  problem: string,
): Promise<EtlError> {
  const located = await locateRecord(file, description, record);
  return new EtlError(
    'ETL_CSV_MALFORMED',
    `Record ${record} does not fit: ${problem}.`,
    remedy`Quote the fields that hold the delimiter, or correct ${setting('csv.delimiter')}.`,
    { file: file.name, ...(located === null ? {} : { line: located.line, value: located.text }) },
  );
}

export function canonicalRecord(fields: CsvFields): string {
  let record = '';
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index];
    if (index > 0) record += ',';
    if (field === null || field === undefined) continue;
    record += needsQuotes.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
  }
  return `${record}\n`;
}

/** A backslash, too: a record that is exactly `\.` would end COPY. */
const needsQuotes = /^$|[",\r\n\\]/;
