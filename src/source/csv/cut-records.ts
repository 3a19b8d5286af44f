import { LIMITS } from '../../limits.ts';
import type { CsvDescription } from '../source-file.ts';
import { countByte } from './data-chunks.ts';
import { scanRecord, startCut } from './cut-state.ts';
import type { CutState } from './cut-state.ts';
import type { LineEnd } from './scan-state.ts';

/**
 * The records of a file that is known to hold bad ones: whole records in batches, each batch ready
 * for a COPY of its own, and the records that COPY must not see, each alone with what is wrong.
 *
 * Records end where the scanner of the fast path (scan-records.ts) lets them end, with the same
 * repairs, so both count alike. They part where the scanner gives the file up:
 * - A quote that never closes, or one in the middle of a field that swallows a line end: only the
 *   first line of that record is bad, and the next line is read as a record again. The same where a
 *   quote that opened on an earlier line closes in front of text, and the record has another number of
 *   fields than the header: what closes it is the opening quote of a later line. So a forgotten quote
 *   costs the line that it stands in, as people expect, and not the lines up to the next quote.
 * - A record above `recordBytesMax`: it is passed over, to its line end.
 * - A line end outside quotes that is not the file's, which COPY would take for the file's own if
 *   its batch began with it.
 *
 * About 0.25 GB per CPU second: byte by byte, which is the plain way; the fast path needs none of it.
 */
export interface RecordCutter {
  /** At most so many records; null at the end. */
  next(max: number): Promise<CutBatch | null>;
  /** Closes what is read; whoever stops before the end must. */
  close(): Promise<void>;
}

export interface CutBatch {
  /** 1-based number of its first record among all that are cut. */
  readonly first: number;
  /** The records as COPY is to have them. */
  readonly bytes: Buffer;
  /** The only record as it stands in the file, where COPY gets it mended. */
  readonly raw: Buffer | null;
  /** Offset in `bytes` behind each of the records. */
  readonly ends: readonly number[];
  /** Then it is one record, and bad whatever the table is like. */
  readonly problem: string | null;
  /** Bytes and line ends before the first record, among those that were given. */
  readonly offset: number;
  readonly lines: number;
}

export interface CutOptions {
  /** How the file's first record ends, where that is known. */
  readonly lineEnd?: LineEnd | null;
  /** Bytes that are held of one record, at most. */
  readonly recordBytesMax?: number;
}

export function cutRecords(
  chunks: AsyncIterable<Buffer>,
  { dialect, columns }: Pick<CsvDescription, 'dialect' | 'columns'>,
  { lineEnd = null, recordBytesMax = LIMITS.siftRecordBytesMax }: CutOptions = {},
): RecordCutter {
  const state = startCut(dialect, columns.length, lineEnd, recordBytesMax);
  const source = chunks[Symbol.asyncIterator]();
  return {
    next: async (max) => {
      for (;;) {
        const batch = takeBatch(state, max);
        if (batch !== null) return batch;
        if (state.ended) return null;
        const more = await source.next();
        if (more.done === true) state.ended = true;
        else append(state, more.value);
      }
    },
    close: async () => {
      await source.return?.();
    },
  };
}

/** Drops what was handed out, and puts the chunk behind the rest. */
function append(state: CutState, chunk: Buffer): void {
  countLines(state, state.start);
  const rest = state.buffer.subarray(state.start);
  state.base += state.start;
  state.at -= state.start;
  state.closedAt -= state.start;
  if (state.firstBreak >= 0) state.firstBreak -= state.start;
  state.buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  state.start = 0;
  state.counted = 0;
}

/** Null: more bytes are needed, or there are none left. */
function takeBatch(state: CutState, max: number): CutBatch | null {
  let from = state.start;
  const ends: number[] = [];
  const taken = (): CutBatch => {
    const bytes = state.buffer.subarray(from, state.start);
    return { ...placed(state, from, ends.length), bytes, ends, raw: null, problem: null };
  };
  while (ends.length < max) {
    const found = state.skipping ? skipLine(state) : scanRecord(state);
    if (found === 'skipped') {
      from = state.start;
      continue;
    }
    const alone = found === 'more' ? lastOrTooLong(state) : aloneOf(state, found);
    if (alone !== null) {
      if (ends.length === 0) return take(state, alone);
      // It is looked at again by the next call.
      beginRecord(state, state.start);
      return taken();
    }
    if (found === 'more') return ends.length > 0 ? taken() : null;
    if (isEmptyLine(state)) {
      const batch = ends.length > 0 ? taken() : null;
      beginRecord(state, state.at);
      if (batch !== null) return batch;
      from = state.start;
      continue;
    }
    beginRecord(state, state.at);
    state.settled = true;
    ends.push(state.start - from);
  }
  return taken();
}

/** A record that goes alone: as it stands, bad, or mended. */
interface Alone {
  readonly to: number;
  readonly problem: string | null;
  /** What COPY gets instead. */
  readonly mended?: Buffer;
  /** Whether the rest of its line is passed over. */
  readonly skip?: boolean;
}

function take(state: CutState, { to, problem, mended, skip = false }: Alone): CutBatch {
  const raw = state.buffer.subarray(state.start, to);
  const bytes = mended ?? raw;
  const place = placed(state, state.start, 1);
  const batch = {
    ...place,
    bytes,
    raw: mended === undefined ? null : raw,
    ends: [bytes.length],
    problem,
  };
  beginRecord(state, to);
  state.skipping = skip;
  if (problem === null) state.settled = true;
  // A quote that swallows lines may end behind what is a value of another record.
  if (!state.settled && (problem === QUOTE_OPEN || problem === QUOTE_SWALLOWS)) {
    state.lineEnd = 0;
    state.crlf = false;
  }
  return batch;
}

function placed(
  state: CutState,
  from: number,
  count: number,
): Pick<CutBatch, 'first' | 'offset' | 'lines'> {
  countLines(state, from);
  const first = state.records + 1;
  state.records += count;
  return { first, offset: state.base + from, lines: state.lines };
}

function beginRecord(state: CutState, at: number): void {
  state.start = at;
  state.at = at;
  state.inQuotes = false;
  state.escaped = false;
  state.stray = false;
  state.foreign = false;
  state.byteOne = false;
  state.delimiters = 0;
  state.broken = false;
  state.suspect = false;
  state.closedAt = -1;
  state.firstBreak = -1;
}

function countLines(state: CutState, to: number): void {
  if (to <= state.counted) return;
  const byte = state.lineEnd === CR ? CR : LF;
  state.lines += countByte(state.buffer.subarray(state.counted, to), byte);
  state.counted = to;
}

const LF = 10;
const CR = 13;
const BACKSLASH = 92;
const DOT = 46;
/** The byte that COPY is told where a dialect has no quotes. */
const NO_QUOTE = 1;

function isEmptyLine(state: CutState): boolean {
  return state.dropEmptyLines && bodyEnd(state) === state.start;
}

/** Without its line end. */
function bodyEnd({ buffer, at, start, crlf }: CutState): number {
  const end = at - 1;
  return crlf && end > start && buffer[end - 1] === CR ? end - 1 : end;
}

const QUOTE_SWALLOWS = 'a quote in the middle of a field swallows the end of the line';
const QUOTE_OPEN = 'a quote opens in it and does not close';
const LINE_END = 'it has a line end outside quotes that is not the line end of the file';
const BYTE_ONE = 'it has the control character 1, which cannot be loaded without quotes';

function aloneOf(state: CutState, found: 'record' | 'stray'): Alone | null {
  const { buffer, start, at, recordBytesMax, firstBreak } = state;
  if (found === 'stray') return { to: firstBreak, problem: QUOTE_SWALLOWS };
  if (isTorn(state)) return { to: firstBreak, problem: QUOTE_OPEN };
  if (at - start > recordBytesMax) return tooLong(state, at);
  if (state.byteOne) return { to: at, problem: BYTE_ONE };
  // The scanner drops an empty line whichever way it ends, so COPY never sees it.
  if (state.foreign && !isEmptyLine(state)) return { to: at, problem: LINE_END };
  const end = bodyEnd(state);
  if (!isEndOfData(buffer, start, end)) return null;
  return { to: at, problem: null, mended: mended(state, end, buffer.subarray(end, at)) };
}

/** The bytes are at an end within a record. */
function lastOrTooLong(state: CutState): Alone | null {
  const { buffer, start, ended, firstBreak, lineEnd, crlf } = state;
  const to = buffer.length;
  if (state.skipping) return null;
  if (!ended) {
    if (to - start <= state.recordBytesMax) return null;
    return { ...tooLong(state, to), skip: firstBreak < 0 };
  }
  if (start >= to) return null;
  if (state.inQuotes) return { to: firstBreak < 0 ? to : firstBreak, problem: QUOTE_OPEN };
  if (isTorn(state)) return { to: firstBreak, problem: QUOTE_OPEN };
  if (state.foreign) return { to, problem: LINE_END };
  if (state.byteOne) return { to, problem: BYTE_ONE };
  const end = crlf ? Buffer.of(CR, LF) : Buffer.of(lineEnd === CR ? CR : LF);
  return { to, problem: null, mended: mended(state, to, end) };
}

/** Whether the quote that closed is the opening one of a later line: see the story above. */
function isTorn({ suspect, delimiters, columns, firstBreak }: CutState): boolean {
  return suspect && firstBreak >= 0 && delimiters + 1 !== columns;
}

function tooLong({ recordBytesMax, firstBreak }: CutState, end: number): Alone {
  const problem = `it is longer than ${recordBytesMax} bytes`;
  return { to: firstBreak < 0 ? end : firstBreak, problem };
}

/** A record that is exactly `\.` would end COPY. */
function isEndOfData(buffer: Buffer, start: number, end: number): boolean {
  return end - start === 2 && buffer[start] === BACKSLASH && buffer[start + 1] === DOT;
}

function mended({ buffer, start, quote }: CutState, end: number, lineEnd: Buffer): Buffer {
  const body = buffer.subarray(start, end);
  if (!isEndOfData(buffer, start, end)) return Buffer.concat([body, lineEnd]);
  const mark = Buffer.of(quote < 0 ? NO_QUOTE : quote);
  return Buffer.concat([mark, body, mark, lineEnd]);
}

/** Passes over the rest of a record that was too long. */
function skipLine(state: CutState): 'skipped' | 'more' {
  const { buffer, lineEnd } = state;
  const end = buffer.indexOf(lineEnd === CR ? CR : LF, state.at);
  beginRecord(state, end < 0 ? buffer.length : end + 1);
  if (end < 0) return 'more';
  state.skipping = false;
  return 'skipped';
}
