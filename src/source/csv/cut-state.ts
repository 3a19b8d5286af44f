import type { CsvDialect } from '../source-file.ts';
import { dialectBytes, type DialectBytes } from './dialect-bytes.ts';
import type { LineEnd } from './scan-state.ts';

/** Where the cutter (cut-records.ts) stands. Indexes are of `buffer`. */
export interface CutState extends DialectBytes {
  /** Fields that a record has. */
  readonly columns: number;
  readonly dropEmptyLines: boolean;
  readonly recordBytesMax: number;
  buffer: Buffer;
  /** Whether no bytes come behind the buffer. */
  ended: boolean;
  /** Of the record that is being read; what comes before it was handed out. */
  start: number;
  /** The next byte to look at. */
  at: number;
  /** Bytes before the buffer. */
  base: number;
  /** Line ends before `counted`. */
  lines: number;
  counted: number;
  /** Records that were handed out. */
  records: number;
  /** As in the scanner's state: the byte that ends a record, 0 until the first has ended. */
  lineEnd: number;
  crlf: boolean;
  /** Whether a good record has ended so: what a bad one seems to end with may be a part of it. */
  settled: boolean;
  inQuotes: boolean;
  escaped: boolean;
  /** Whether the section inside quotes began in the middle of a field. */
  stray: boolean;
  /** Whether the record has a line end outside quotes that is not the file's; or a byte 1. */
  foreign: boolean;
  byteOne: boolean;
  /** Delimiters outside quotes of the record that is being read. */
  delimiters: number;
  /** Whether the section inside quotes holds a line end; whether text follows the end of such a one. */
  broken: boolean;
  suspect: boolean;
  /** Behind the last closing quote; -1 for none. */
  closedAt: number;
  /** Behind the first line end inside the record's quotes; -1 for none. */
  firstBreak: number;
  /** Whether the rest of a record that was too long is being passed over. */
  skipping: boolean;
}

export function startCut(
  dialect: CsvDialect,
  columns: number,
  lineEnd: LineEnd | null,
  recordBytesMax: number,
): CutState {
  const { delimiter, quote, escape } = dialectBytes(dialect);
  return {
    delimiter,
    quote,
    escape,
    columns,
    dropEmptyLines: columns > 1,
    recordBytesMax,
    buffer: Buffer.alloc(0),
    ended: false,
    start: 0,
    at: 0,
    base: 0,
    lines: 0,
    counted: 0,
    records: 0,
    lineEnd: lineEnd === null ? 0 : lineEnd === 'CR' ? CR : LF,
    crlf: lineEnd === 'CR LF',
    settled: lineEnd !== null,
    inQuotes: false,
    escaped: false,
    stray: false,
    foreign: false,
    byteOne: false,
    delimiters: 0,
    broken: false,
    suspect: false,
    closedAt: -1,
    firstBreak: -1,
    skipping: false,
  };
}

const LF = 10;
const CR = 13;

/**
 * Reads on. `record`: it is complete, and `at` is behind its line end. `stray`: a quote in the middle
 * of a field has swallowed a line end. `more`: the bytes do not tell yet.
 */
export function scanRecord(state: CutState): 'record' | 'stray' | 'more' {
  const { buffer, quote, escape, delimiter } = state;
  while (state.at < buffer.length) {
    const byte = buffer[state.at] as number;
    if (state.inQuotes && byte === escape) {
      state.escaped = !state.escaped;
      state.at++;
      continue;
    }
    if (byte === quote) {
      if (!state.escaped) atQuote(state);
    } else if (byte === delimiter) {
      if (!state.inQuotes) state.delimiters++;
    } else if (byte === LF || byte === CR) {
      const found = state.inQuotes ? atQuotedBreak(state, byte) : atBreak(state, byte);
      if (found !== 'on') return found;
    } else {
      if (state.broken && !state.inQuotes && state.closedAt === state.at) state.suspect = true;
      if (byte === 1 && quote < 0) state.byteOne = true;
    }
    state.escaped = false;
    state.at++;
  }
  return 'more';
}

function atQuote(state: CutState): void {
  const { buffer, at, start } = state;
  state.inQuotes = !state.inQuotes;
  if (!state.inQuotes) state.closedAt = at + 1;
  else if (state.closedAt !== at) {
    const before = buffer[at - 1];
    state.stray = at > start && before !== state.delimiter && before !== LF && before !== CR;
    state.broken = false;
  }
  // Else a doubled quote: the section goes on.
}

function atQuotedBreak(state: CutState, byte: number): 'on' | 'stray' | 'more' {
  const { buffer, at, lineEnd } = state;
  if (lineEnd !== 0 && byte !== lineEnd) return 'on';
  if (lineEnd === 0 && byte === CR && at + 1 === buffer.length && !state.ended) return 'more';
  const behind = byte === CR && lineEnd === 0 && buffer[at + 1] === LF ? at + 2 : at + 1;
  if (state.firstBreak < 0) state.firstBreak = behind;
  state.broken = true;
  return state.stray ? 'stray' : 'on';
}

function atBreak(state: CutState, byte: number): 'on' | 'record' | 'more' {
  const { buffer, at, start } = state;
  const next = buffer[at + 1];
  if (byte === CR && next === undefined && !state.ended && state.lineEnd !== CR) return 'more';
  if (state.lineEnd === 0) {
    state.crlf = byte === CR && next === LF;
    state.lineEnd = state.crlf ? LF : byte;
  }
  if (byte === state.lineEnd) {
    if (state.crlf && (at === start || buffer[at - 1] !== CR)) state.foreign = true;
    state.at = at + 1;
    return 'record';
  }
  if (!state.crlf || next !== LF) state.foreign = true;
  return 'on';
}
