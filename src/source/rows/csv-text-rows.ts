import { isUtf8 } from 'node:buffer';
import { EtlError } from '../../errors.ts';
import { copyFormatOf } from '../csv/copy-format.ts';
import { problemOfFieldCount } from '../csv/csv-problem.ts';
import { openCsvRecords } from '../csv/csv-records.ts';
import type { CutBatch } from '../csv/cut-records.ts';
import { decodeText } from '../csv/text-encoding.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { splitFields } from './csv-fields.ts';
import type { TextPiece, TextRow, TextRows, TextRowsOptions } from './text-row.ts';

/**
 * A CSV file, or a part of it, row by row. Records are cut where the loads without a transform cut
 * them, and their fields told apart as COPY does: csv-parse would refuse a quote within a field, which
 * COPY takes.
 */
export function openCsvTextRows(
  file: SourceFile,
  description: CsvDescription,
  { part, rowsMax, signal }: TextRowsOptions,
): TextRows {
  const bytes = part?.kind === 'bytes' ? part : null;
  const before = bytes === null ? 0 : bytes.firstRecord - 1;
  const source = openCsvRecords(file, description, bytes, { signal });
  const reader = readerOf(file, description);
  async function* pieces(): AsyncGenerator<TextPiece> {
    for (;;) {
      const batch = await source.cutter.next(rowsMax);
      if (batch === null) return;
      yield* piecesOf(batch, before + batch.first, reader);
    }
  }
  return {
    pieces: pieces(),
    bytesRead: () => source.bytesRead(),
    contentHash: async () => source.contentHash(),
  };
}

/** The fields of a record, or what is wrong with it. */
type ReadFields = (record: Buffer) => TextRow | string;

function* piecesOf(batch: CutBatch, first: number, read: ReadFields): Generator<TextPiece> {
  if (batch.problem !== null) {
    yield bad(first, batch.problem);
    return;
  }
  let rows: TextRow[] = [];
  let from = first;
  let start = 0;
  for (const [index, end] of batch.ends.entries()) {
    const fields = read(withoutLineEnd(batch.bytes.subarray(start, end)));
    start = end;
    if (typeof fields !== 'string') {
      rows.push(fields);
      continue;
    }
    if (rows.length > 0) yield { kind: 'rows', first: from, rows };
    yield bad(first + index, fields);
    rows = [];
    from = first + index + 1;
  }
  if (rows.length > 0) yield { kind: 'rows', first: from, rows };
}

function bad(record: number, problem: string): TextPiece {
  return {
    kind: 'bad',
    record,
    column: null,
    reason: `The record cannot be loaded: ${problem}.`,
  };
}

function readerOf(file: SourceFile, description: CsvDescription): ReadFields {
  const format = copyFormatOf(description);
  // Whose fault the bytes are is for the caller to say.
  const strict: SourceFile = { ...file, badBytes: 'of the file' };
  const decode = (record: Buffer): string | null => {
    if (format.encoding === 'utf8') return isUtf8(record) ? record.toString('utf8') : null;
    try {
      return decodeText(strict, record, format.encoding, false);
    } catch (error) {
      if (error instanceof EtlError && error.code === 'ETL_FILE_FORMAT') return null;
      throw error;
    }
  };
  return (record) => {
    const text = decode(record);
    if (text === null) return `it has bytes that are not ${format.encoding}`;
    const fields = splitFields(text, format);
    return problemOfFieldCount(fields.length, description) ?? fields;
  };
}

const LF = 10;
const CR = 13;

function withoutLineEnd(record: Buffer): Buffer {
  let end = record.length;
  if (end > 0 && record[end - 1] === LF) end--;
  if (end > 0 && record[end - 1] === CR) end--;
  return record.subarray(0, end);
}
