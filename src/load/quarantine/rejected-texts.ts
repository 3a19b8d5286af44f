import { present } from '../../assert.ts';
import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { openCsvRecords, type CsvRecords } from '../../source/csv/csv-records.ts';
import { countByte } from '../../source/csv/data-chunks.ts';
import { parseText } from '../../source/csv/parse-text.ts';
import { decodeText } from '../../source/csv/text-encoding.ts';
import { readParquet, rowsBefore } from '../../source/parquet/read-parquet.ts';
import { rowText } from '../../source/parquet/value-text.ts';
import { PLAIN_DIALECT } from '../../source/csv/plain-dialect.ts';
import type { CsvDescription, ParquetDescription } from '../../source/source-file.ts';
import type { RejectedRow } from './reject-spool.ts';

/** A rejected row as its reject file shows it. */
export interface RejectedText {
  readonly row: RejectedRow;
  /** 1-based line of the file in which it begins; of Parquet, its row. */
  readonly line: number;
  /** Of its first byte in the decompressed file; null of Parquet and of the row path. */
  readonly offset: number | null;
  /**
   * The record as it stands, without its line end; of the row path its fields, in CSV. Bytes that are no
   * text of the file's encoding, or that hold a NUL, are shown as `\x` and their hexadecimal digits; so is
   * text that begins with `\x`.
   */
  readonly raw: string;
  /** By column of the file; all null where the record has another number of fields. */
  readonly fields: readonly (string | null)[];
}

export interface TextOptions {
  /** See StagedFile. */
  readonly sifted: boolean;
  readonly signal: AbortSignal;
  /** CSV records are not parted into fields, which takes 0.1 ms each. */
  readonly unparsed?: boolean;
}

/** `rows` in the order of the file, which is read up to the last of them. */
export async function* rejectedCsvRows(
  file: FilePlan,
  description: CsvDescription,
  rows: AsyncIterator<RejectedRow>,
  { sifted, signal, unparsed = false }: TextOptions,
): AsyncGenerator<RejectedText> {
  // Whole, a file may hold longer records, and they were counted.
  const recordBytesMax = sifted ? LIMITS.siftRecordBytesMax : LIMITS.recordBytesMax;
  const options = { signal, recordBytesMax };
  const { cutter, passed } = openCsvRecords(file, description, null, options);
  try {
    const read = { cutter, passed, file, description, unparsed };
    yield* textsOfRecords(read, rows);
  } finally {
    await cutter.close();
  }
}

interface ReadRecords extends Pick<CsvRecords, 'cutter' | 'passed'> {
  readonly file: FilePlan;
  readonly description: CsvDescription;
  readonly unparsed: boolean;
}

async function* textsOfRecords(
  { cutter, passed, file, description, unparsed }: ReadRecords,
  rows: AsyncIterator<RejectedRow>,
): AsyncGenerator<RejectedText> {
  const byBytes = description.path === 'bytes';
  // What the row path makes of a file is UTF-8 with commas and double quotes.
  const read = byBytes ? description : { ...description, dialect: PLAIN_DIALECT };
  let wanted = await rows.next();
  while (wanted.done !== true) {
    const batch = await cutter.next(byBytes ? RECORDS_AT_ONCE : 1);
    if (batch === null) return;
    const eol = batch.bytes.includes(10) ? 10 : 13;
    let from = 0;
    let lines = 0;
    while (wanted.done !== true && wanted.value.record < batch.first + batch.ends.length) {
      const index = wanted.value.record - batch.first;
      const start = index === 0 ? 0 : present(batch.ends[index - 1], 'the end of a record');
      const bytes = batch.raw ?? batch.bytes.subarray(start, batch.ends[index]);
      lines += countByte(batch.bytes.subarray(from, start), eol);
      from = start;
      yield {
        ...shown(file, read, withoutLineEnd(bytes), wanted.value, unparsed),
        line: 1 + passed.lines + batch.lines + lines,
        offset: byBytes ? passed.bytes + batch.offset + start : null,
      };
      wanted = await rows.next();
    }
  }
}

const RECORDS_AT_ONCE = 10_000;

function withoutLineEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  if (end > 0 && bytes[end - 1] === 10) end--;
  if (end > 0 && bytes[end - 1] === 13) end--;
  return bytes.subarray(0, end);
}

function shown(
  file: FilePlan,
  description: CsvDescription,
  bytes: Buffer,
  row: RejectedRow,
  unparsed: boolean,
): Pick<RejectedText, 'row' | 'raw' | 'fields'> {
  const none = description.columns.map(() => null);
  if (bytes.length > LIMITS.rejectedTextBytesMax) {
    const kept = bytes.subarray(0, LIMITS.rejectedTextBytesMax);
    const reason = `${row.reason} (etl_raw holds the first ${kept.length} bytes)`;
    return {
      row: { ...row, reason },
      raw: textOf(file, description, kept) ?? hex(kept),
      fields: none,
    };
  }
  const text = textOf(file, description, bytes);
  if (text === null) return { row, raw: hex(bytes), fields: none };
  const fields = unparsed ? null : fieldsOf(text, description);
  return { row, raw: text, fields: fields ?? none };
}

/** Null where the bytes are no text that a reject file could hold as it is. */
function textOf(file: FilePlan, { dialect }: CsvDescription, bytes: Buffer): string | null {
  if (bytes.includes(0)) return null;
  try {
    const text = decodeText({ ...file, badBytes: 'of the file' }, bytes, dialect.encoding, false);
    return text.startsWith('\\x') ? null : text;
  } catch {
    return null;
  }
}

function hex(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

function fieldsOf(
  text: string,
  { dialect, columns }: CsvDescription,
): readonly (string | null)[] | null {
  try {
    const [fields = [], ...more] = parseText(text, dialect, columns.length);
    return more.length === 0 && fields.length === columns.length ? fields : null;
  } catch {
    return null;
  }
}

/** The row groups that hold one of `rows`, which come in order; `etl_raw` is the row as JSON. */
export async function* rejectedParquetRows(
  file: FilePlan,
  description: ParquetDescription,
  rows: AsyncIterator<RejectedRow>,
  signal: AbortSignal,
): AsyncGenerator<RejectedText> {
  const columns = description.columns.filter((_, index) => file.targets[index] !== null);
  const names = columns.map((column) => column.name);
  let wanted = await rows.next();
  for (const [group] of description.rowGroups.entries()) {
    const last = rowsBefore(description, group + 1);
    if (wanted.done === true) return;
    if (wanted.value.record > last) continue;
    const rowGroups = { from: group, to: group + 1 };
    for await (const batch of readParquet(file, description, {
      columns: names,
      rowGroups,
      signal,
    })) {
      while (wanted.done !== true && wanted.value.record < batch.firstRow + batch.rows) {
        const { record } = wanted.value;
        const texts = rowText(batch, columns, record - batch.firstRow);
        const byName = new Map(names.map((name, place) => [name, texts[place] ?? null]));
        yield {
          row: wanted.value,
          line: record,
          offset: null,
          raw: JSON.stringify(Object.fromEntries(byName)),
          fields: description.columns.map(({ name }) => byName.get(name) ?? null),
        };
        wanted = await rows.next();
      }
    }
  }
}
