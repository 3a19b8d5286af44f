import { isUtf8 } from 'node:buffer';
import { decompressed } from '../compression.ts';
import { totalsOf, type CsvTotals } from '../csv/csv-stream.ts';
import type { JsonDescription, SourceFile } from '../source-file.ts';
import { copyRows, isFull, takeRows, writeRow, type CopyRows, type JsonForm } from './copy-rows.ts';
import { fieldTree } from './field-tree.ts';
import { JsonFault } from './json-bytes.ts';
import { errorOfFault } from './json-problem.ts';
import {
  addChunk,
  endWindow,
  readNext,
  refuseOtherBytes,
  startWindow,
  type JsonWindow,
} from './json-window.ts';
import { pointerSteps } from './pointer.ts';
import { startRecovery } from './recovery.ts';
import { readRecord, recordFields, type RecordFields } from './read-record.ts';

/** A column of a JSON file as COPY is to have it. */
export interface JsonField {
  /** Index among the columns of the description. */
  readonly column: number;
  readonly form: JsonForm;
}

/** The records of a JSON file as input for `COPY … (format text)`, one line each. */
export interface JsonStream {
  /** To be iterated once; leaving early closes the file. */
  readonly pieces: AsyncIterable<JsonPiece>;
  /** After the end of `pieces`. */
  totals(): Pick<CsvTotals, 'records' | 'contentHash'>;
}

/** What comes next in the file: rows, or a record that makes none. */
export type JsonPiece =
  | {
      readonly kind: 'rows';
      readonly bytes: Buffer;
      /** 1-based number of the first record. */
      readonly first: number;
      readonly count: number;
    }
  | {
      readonly kind: 'bad';
      readonly record: number;
      /** Null: the record as a whole is at fault. */
      readonly column: string | null;
      readonly reason: string;
    };

export interface JsonReadOptions {
  readonly signal?: AbortSignal;
  /** After each chunk: records so far, and bytes read from disk. */
  readonly onProgress?: (records: number, bytesOnDisk: number) => void;
  /**
   * Whether a value that is no text of PostgreSQL is a piece of its own, and no error; and, where bad
   * bytes are a row's fault, a record that is no JSON, or not UTF-8.
   */
  readonly goOn?: boolean;
}

/**
 * The wanted values of each record, picked out of its bytes: they are checked to be JSON, but never
 * become values of JavaScript, so that numbers keep their digits. 180 MB per second of CPU.
 *
 * @throws EtlError (while iterating) ETL_JSON_MALFORMED, ETL_COLUMN_MISSING for a field that no
 *   sampled record had, ETL_ROW_INVALID for a string that is no text of PostgreSQL, ETL_FILE_FORMAT
 *   for bytes that are not UTF-8, ETL_LIMIT, and what reading throws
 */
export function openJson(
  file: SourceFile,
  description: JsonDescription,
  fields: readonly JsonField[],
  { signal, onProgress, goOn = false }: JsonReadOptions = {},
): JsonStream {
  const source = decompressed(file, signal === undefined ? {} : { signal });
  const recovers = goOn && file.badBytes === 'of a row';
  const recovery = recovers ? startRecovery(description.lines) : null;
  const window = startWindow(stepsOf(description), recovery);
  const columnOf = (slot: number): string =>
    description.columns[fields[slot]?.column ?? -1]?.name ?? '';
  const reading: Reading = {
    ...{ window, goOn, columnOf },
    rows: copyRows(fields.map(({ form }) => form)),
    values: recordFields(treeOf(description, fields), fields.length, description.found),
  };
  const tell = (): void => onProgress?.(window.frame.records, source.bytesRead());
  const counts = () => ({ records: window.frame.records, strayQuotes: 0 });
  return {
    pieces: piecesOf(file, source.chunks, reading, tell),
    totals: totalsOf(source, counts),
  };
}

export function stepsOf({ records }: Pick<JsonDescription, 'records'>): readonly string[] | null {
  return records === null ? null : pointerSteps(records);
}

interface Reading {
  readonly window: JsonWindow;
  readonly values: RecordFields;
  readonly rows: CopyRows;
  readonly goOn: boolean;
  readonly columnOf: (slot: number) => string;
}

async function* piecesOf(
  file: SourceFile,
  chunks: AsyncIterable<Buffer>,
  reading: Reading,
  onChunk: () => void,
): AsyncGenerator<JsonPiece> {
  const { window, rows, columnOf } = reading;
  try {
    for await (const chunk of chunks) {
      addChunk(window, chunk);
      yield* nextPieces(reading);
      onChunk();
    }
    endWindow(window);
    yield* nextPieces(reading);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const ofValue = error.kind === 'value';
    // A value is found bad when its record is passed.
    if (ofValue) window.frame.records--;
    throw await errorOfFault(file, error, window, ofValue ? { column: columnOf(rows.slot) } : {});
  }
}

/** What is known and not wanted is of use only where other fields are refused. */
function treeOf({ columns, found }: JsonDescription, fields: readonly JsonField[]) {
  const slots = columns.map((_, index) => fields.findIndex(({ column }) => column === index));
  const kept = [...columns.keys()].filter((index) => found || slots[index] !== -1);
  return fieldTree(
    kept.map((index) => columns[index]?.pointer ?? ''),
    kept.map((index) => (slots[index] === -1 ? null : (slots[index] ?? null))),
  );
}

/** All records that are whole; none of them before its bytes are known to be UTF-8. */
function nextPieces({ window, values, rows, goOn, columnOf }: Reading): readonly JsonPiece[] {
  const { json, frame, recovery } = window;
  const pieces: JsonPiece[] = [];
  let first = frame.records + 1;
  const endRows = (end: number): void => {
    if (end > first) {
      pieces.push({ kind: 'rows', bytes: takeRows(rows), first, count: end - first });
    }
    first = end;
  };
  const badPiece = (column: string | null, reason: string): void => {
    const record = frame.records;
    endRows(record);
    pieces.push({ kind: 'bad', record, column, reason });
    first = record + 1;
  };
  const read = (at: number): number => readRecord(json, values, at);
  const isSound = recovery === null || isUtf8(wholeCharacters(window));
  for (;;) {
    const step = readNext(window, read);
    if (step !== 'record' && step !== 'bad') break;
    if (recovery !== null && step === 'bad') {
      badPiece(null, `The record cannot be loaded: ${recovery.what}.`);
      continue;
    }
    if (!isSound && !isUtf8(json.bytes.subarray(frame.start, frame.at))) {
      badPiece(null, 'The record cannot be loaded: its bytes are not UTF-8.');
      continue;
    }
    const start = rows.length;
    try {
      writeRow(rows, json, values);
    } catch (error) {
      if (!goOn || !(error instanceof JsonFault)) throw error;
      rows.length = start;
      badPiece(columnOf(rows.slot), `The value cannot be loaded: ${error.message}.`);
    }
    if (isFull(rows)) endRows(frame.records + 1);
  }
  endRows(frame.records + 1);
  if (recovery === null) refuseOtherBytes(window);
  return pieces;
}

/** What is to be read, without a character that its last bytes may begin. */
function wholeCharacters({ json: { bytes, end, final }, frame }: JsonWindow): Buffer {
  let to = end;
  // At most three bytes of one are there.
  while (!final && to > frame.at && end - to < 3 && ((bytes[to - 1] as number) & 0xc0) === 0x80) {
    to--;
  }
  if (!final && to > frame.at && (bytes[to - 1] as number) >= 0xc0) to--;
  return bytes.subarray(frame.at, to);
}
