import { Readable, pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Info } from 'csv-parse';
import { EtlError } from '../../errors.ts';
import { decompressed } from '../compression.ts';
import type { CsvDescription, CsvDialect, SourceFile } from '../source-file.ts';
import { problemOfFieldCount, problemOfParser } from './csv-problem.ts';
import { bytesFrom, countByte, countLineEnds, withoutHead } from './data-chunks.ts';
import type { PassedHead } from './data-chunks.ts';
import { endOfRecord, nextLine } from './data-start.ts';
import { parseText, parserOptions, withNulls } from './parse-text.ts';
import type { CsvFields, RawRecord } from './parse-text.ts';
import { decodeText, toUtf8 } from './text-encoding.ts';

/** A record that was refused, for the error message. */
export interface LocatedRecord {
  /** 1-based number among the data records. */
  readonly record: number;
  /** 1-based line of the (decompressed) file in which the record begins. */
  readonly line: number;
  /** As it stands in the file (of the row path: its fields), cut to `textMax` characters. */
  readonly text: string;
  /** Null where csv-parse cannot read it. */
  readonly fields: CsvFields | null;
  /** What is wrong with its form, for a sentence: `it has 3 fields, the header has 4`. */
  readonly problem: string | null;
}

/**
 * Finds a data record by its 1-based number. Reads the file again: errors may be slow.
 *
 * @returns null where the file has fewer records
 */
export function locateRecord(
  file: SourceFile,
  description: CsvDescription,
  record: number,
): Promise<LocatedRecord | null> {
  return locate(file, description, (found) => found.record >= record);
}

/** Finds the record that csv-parse cannot read; null where it can read all. */
export function locateUnreadable(
  file: SourceFile,
  description: CsvDescription,
): Promise<LocatedRecord | null> {
  const byRows: CsvDescription = { ...description, path: 'rows' };
  return locate(file, byRows, (found) => found.copyLine === Infinity);
}

/**
 * Finds the data record of the line that COPY names in its context (`COPY staged, line 3`): the
 * line of what was sent, in which the record ends. Header and empty lines were not sent; of a part
 * of a file (the byte path), nothing before the offset `from`.
 */
export function locateCopyLine(
  file: SourceFile,
  description: CsvDescription,
  copyLine: number,
  from: number | null = null,
): Promise<LocatedRecord | null> {
  return locate(file, description, (found) => found.copyLine >= copyLine, from);
}

const textMax = 10_000;

interface FoundRecord {
  readonly record: number;
  readonly line: number;
  readonly copyLine: number;
  readonly describe: () => Omit<LocatedRecord, 'record' | 'line'>;
}

async function locate(
  file: SourceFile,
  description: CsvDescription,
  wanted: (found: FoundRecord) => boolean,
  from: number | null = null,
): Promise<LocatedRecord | null> {
  const records =
    description.path === 'bytes' ? walkBytes(file, description, from) : walkRows(file, description);
  for await (const found of records) {
    if (wanted(found)) return { record: found.record, line: found.line, ...found.describe() };
  }
  return null;
}

/** Records as the scanner finds them. */
async function* walkBytes(
  file: SourceFile,
  description: CsvDescription,
  from: number | null,
): AsyncGenerator<FoundRecord> {
  const { dialect, columns } = description;
  const passed: PassedHead = { bytes: 0, lines: 0 };
  const all = decompressed(file).chunks;
  const chunks = from === null ? withoutHead(all, dialect, passed) : bytesFrom(all, from, passed);
  const nextCopyLine = countCopyLines();
  let record = 0;
  let lines = 0;
  let firstLineEnd: Buffer | null = null;
  for await (const { body, lineEnd } of splitRecords(chunks, dialect)) {
    const line = 1 + passed.lines + lines;
    lines += countLineEnds(body) + (lineEnd.length > 0 ? 1 : 0);
    firstLineEnd ??= lineEnd;
    const foreignEnd = lineEnd.length > 0 && !lineEnd.equals(firstLineEnd);
    if (body.length === 0 && columns.length > 1) continue;
    record++;
    const copyLine = nextCopyLine(body, lineEnd.equals(LF) ? LF : CR);
    yield {
      record,
      line,
      copyLine,
      describe: () => describeBytes(file, description, body, foreignEnd),
    };
  }
}

/** Records as csv-parse finds them; the last one is the one that it cannot read, if there is one. */
async function* walkRows(
  file: SourceFile,
  description: CsvDescription,
): AsyncGenerator<FoundRecord> {
  const { dialect, columns } = description;
  const passed: PassedHead = { bytes: 0, lines: 0 };
  const text = toUtf8(file, decompressed(file).chunks, dialect.encoding);
  const data = withoutHead(text, dialect, passed);
  // An error drops records that were read and not yet handed out: they are counted here.
  let read: Pick<Info, 'records' | 'lines'> = { records: 0, lines: 0 };
  const parser = parse({
    ...parserOptions(dialect, columns.length),
    info: true,
    raw: true,
    on_record: (record, info) => {
      read = info;
      return record;
    },
  });
  pipeline(Readable.from(data, { highWaterMark: 1 }), parser, () => undefined);
  const nextCopyLine = countCopyLines();
  try {
    for await (const parsed of parser as AsyncIterable<ParsedRecord>) {
      const { info } = parsed;
      const fields = withNulls(parsed, dialect);
      const text = fields.map((field) => field ?? '').join(dialect.delimiter);
      const body = Buffer.from(text);
      const copyLine = nextCopyLine(body, LF);
      const line = passed.lines + info.lines - countLineEnds(body);
      const problem = problemOfFieldCount(fields.length, description);
      const described = { text: text.slice(0, textMax), fields, problem };
      yield { record: info.records, line, copyLine, describe: () => described };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const described = { text: '', fields: null, problem: problemOfParser(error) };
    const line = passed.lines + read.lines + 1;
    yield { record: read.records + 1, line, copyLine: Infinity, describe: () => described };
  }
}

interface ParsedRecord extends RawRecord {
  readonly info: Pick<Info, 'lines' | 'records'>;
}

const LF = Buffer.from('\n');
const CR = Buffer.from('\r');

/**
 * Counts lines as COPY does (CopyReadLineText): one per record, and one per LF inside it, or per
 * CR where the file's line end is another than LF, or is not known yet: in the first record.
 */
export function countCopyLines(): (body: Buffer, lineEnd: Buffer) => number {
  let counted = 0;
  let embedded: Buffer = CR;
  return (body, lineEnd) => {
    counted += 1 + countByte(body, embedded[0] ?? 0);
    embedded = lineEnd;
    return counted;
  };
}

interface SplitRecord {
  readonly body: Buffer;
  readonly lineEnd: Buffer;
}

async function* splitRecords(
  chunks: AsyncIterable<Buffer>,
  dialect: CsvDialect,
): AsyncGenerator<SplitRecord> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (;;) {
      const end = endOfRecord(bytes, at, dialect);
      const next = end === null ? null : nextLine(bytes, end, false);
      if (end === null || next === null) break;
      yield { body: bytes.subarray(at, end), lineEnd: bytes.subarray(end, next) };
      at = next;
    }
    rest = bytes.subarray(at);
  }
  if (rest.length === 0) return;
  const end = endOfRecord(rest, 0, dialect) ?? rest.length;
  yield { body: rest.subarray(0, end), lineEnd: rest.subarray(end) };
}

function describeBytes(
  file: SourceFile,
  description: CsvDescription,
  body: Buffer,
  foreignEnd: boolean,
): Omit<LocatedRecord, 'record' | 'line'> {
  const { dialect, columns } = description;
  const loose = body.toString('latin1').slice(0, textMax);
  if (body.includes(0)) return { text: loose, fields: null, problem: 'it has a NUL byte' };
  try {
    const whole = decodeText(file, body, dialect.encoding, false);
    const text = whole.slice(0, textMax);
    const [fields = [null]] = parseText(whole, dialect, columns.length);
    const problem = foreignEnd
      ? 'it has a line end outside quotes that is not the line end of the file'
      : problemOfFieldCount(fields.length, description);
    return { text, fields, problem };
  } catch (error) {
    if (error instanceof CsvError) {
      return {
        text: body.toString().slice(0, textMax),
        fields: null,
        problem: problemOfParser(error),
      };
    }
    if (!(error instanceof EtlError)) throw error;
    return { text: loose, fields: null, problem: `it has bytes that are not ${dialect.encoding}` };
  }
}
