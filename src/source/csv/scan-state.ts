import { LIMITS } from '../../limits.ts';
import type { CsvDialect } from '../source-file.ts';
import { dialectBytes, type DialectBytes } from './dialect-bytes.ts';

/** What the record scanner (scan-records.ts) knows between two chunks. */
export interface ScanState extends DialectBytes {
  readonly dropEmptyLines: boolean;
  readonly recordBytesMax: number;
  /** Whether text behind quotes that hold a line end is a problem; COPY takes it. */
  readonly refuseTorn: boolean;
  /** Complete records that were passed on. */
  records: number;
  /** Short records that were dropped, or did not go out as they stand. */
  repairs: number;
  /** Sections inside quotes that began in the middle of a field: COPY drops their quotes. */
  strayQuotes: number;
  /** Bytes scanned, from the first one pushed; those held back do not count yet. */
  offset: number;
  /** The byte that ends a record: LF (also of CR LF) or CR; 0 until the first record ends. */
  lineEnd: number;
  crlf: boolean;
  insideQuotes: boolean;
  escaped: boolean;
  /** Whether the section inside quotes is such a one; see `atLineEnd`. */
  stray: boolean;
  /** Offset of the opening quote, and of the byte after the last closing one; -1 for none. */
  openedAt: number;
  closedAt: number;
  /** With `refuseTorn`: offset of the last line end inside quotes. */
  brokenAt: number;
  /** Bytes of the unfinished record in earlier chunks. */
  recordBytes: number;
  previous: number;
  held: Buffer;
}

/** A defect of the file that COPY would not report, or not where it is. */
export class ScanProblem extends Error {
  override readonly name = 'ScanProblem';
  readonly kind: 'stray quote' | 'unterminated quote' | 'record too long' | 'byte 1' | 'torn quote';
  /** Offset in the scanned bytes. */
  readonly offset: number;

  constructor(kind: ScanProblem['kind'], offset: number) {
    super(kind);
    this.kind = kind;
    this.offset = offset;
  }
}

const LF = 10;

/** What COPY is told where a dialect has no quotes: a byte that the scanner then refuses. */
export const NO_QUOTE = '\u0001';

export type LineEnd = 'LF' | 'CR LF' | 'CR';

/** How the first record ended, which COPY demands of all; null where none has. */
export function lineEndOf({ lineEnd, crlf }: ScanState): LineEnd | null {
  if (lineEnd === 0) return null;
  return crlf ? 'CR LF' : lineEnd === LF ? 'LF' : 'CR';
}

export function startScan(
  dialect: CsvDialect,
  columns: number,
  recordBytesMax: number = LIMITS.recordBytesMax,
  refuseTorn = false,
): ScanState {
  const { delimiter, quote, escape } = dialectBytes(dialect);
  return {
    delimiter,
    quote,
    escape,
    dropEmptyLines: columns > 1,
    recordBytesMax,
    refuseTorn,
    records: 0,
    repairs: 0,
    strayQuotes: 0,
    offset: 0,
    lineEnd: 0,
    crlf: false,
    insideQuotes: false,
    escaped: false,
    stray: false,
    openedAt: -1,
    closedAt: -1,
    brokenAt: -1,
    recordBytes: 0,
    previous: LF,
    held: Buffer.alloc(0),
  };
}
