import type { CsvDialect } from '../source-file.ts';

/** Where the records of a file begin: what precedes them is no data. */
export interface DataStart {
  /** Offsets of the header record without its line end; null where the dialect has none. */
  readonly header: { readonly start: number; readonly end: number } | null;
  /** Offset of the first data record. */
  readonly dataStart: number;
}

/**
 * Passes over a UTF-8 byte-order mark, the lines to skip, empty lines and comment lines, and the
 * header record (quote-aware).
 *
 * @param head the first bytes of the file; UTF-16 is converted to UTF-8 before
 * @param ended whether these are all its bytes
 * @returns null where more bytes are needed
 */
export function findDataStart(
  head: Buffer,
  dialect: Pick<CsvDialect, 'quote' | 'escape' | 'comment' | 'skipLines' | 'header'>,
  ended: boolean,
): DataStart | null {
  let at = head.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
  for (let line = 0; line < dialect.skipLines && at < head.length; line++) {
    const next = nextLine(head, at, ended);
    if (next === null) return null;
    at = next;
  }
  while (dialect.header && at < head.length && isNoRecord(head[at], dialect.comment)) {
    const next = nextLine(head, at, ended);
    if (next === null) return null;
    at = next;
  }
  if (!ended && at >= head.length) return null;
  if (!dialect.header) return { header: null, dataStart: at };
  const end = endOfRecord(head, at, dialect);
  const next = end === null ? null : nextLine(head, end, ended);
  if (end !== null && next !== null) return { header: { start: at, end }, dataStart: next };
  return ended ? { header: { start: at, end: head.length }, dataStart: head.length } : null;
}

const LF = 10;
const CR = 13;
const byteOrderMark = Buffer.of(0xef, 0xbb, 0xbf);

function isNoRecord(byte: number | undefined, comment: string | null): boolean {
  return byte === LF || byte === CR || (comment !== null && byte === comment.charCodeAt(0));
}

/** The offset after the next LF, CR or CR LF; null where that is not known yet. */
export function nextLine(head: Buffer, from: number, ended: boolean): number | null {
  for (let at = from; at < head.length; at++) {
    if (head[at] === LF) return at + 1;
    if (head[at] !== CR) continue;
    if (at + 1 === head.length && !ended) return null;
    return head[at + 1] === LF ? at + 2 : at + 1;
  }
  return ended ? head.length : null;
}

/** The offset of the record's line end, by the rule of scan-records.ts. */
export function endOfRecord(
  head: Buffer,
  from: number,
  dialect: Pick<CsvDialect, 'quote' | 'escape'>,
): number | null {
  const quote = dialect.quote?.charCodeAt(0);
  const escape = dialect.escape === dialect.quote ? undefined : dialect.escape?.charCodeAt(0);
  let insideQuotes = false;
  for (let at = from; at < head.length; at++) {
    const byte = head[at];
    if (insideQuotes && byte === escape) at++;
    else if (byte === quote) insideQuotes = !insideQuotes;
    else if (!insideQuotes && (byte === LF || byte === CR)) return at;
  }
  return null;
}
