import { afterSpace, INCOMPLETE, type JsonBytes } from './json-bytes.ts';

/** What is known of the place of a record that is no JSON, or none that can be a row. */
export interface BrokenRecord {
  readonly start: number;
  /** In an array of records; else one value comes after another. */
  readonly inArray: boolean;
  /** Whether each record of the file stands in a line of its own. */
  readonly lines: boolean;
  /** White space before it in its line; -1 where other things stand before it. */
  readonly indent: number;
}

/** The bytes from the record on tell of no end. */
export const ENDLESS = -2;

const [LF, CR, QUOTE, COMMA, OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [
  10, 13, 34, 44, 91, 92, 93, 123, 125,
] as const;

/**
 * Where a broken record ends, so that the ones behind it can be read:
 *
 * - of a file with a record in each line: with its first line, since a string, too, ends there;
 * - of others where its brackets close, if what must come behind a record comes then: most faults (a
 *   word without quotes, a comma too few) leave the brackets alone;
 * - else, as with a string that is not closed, before the next line that begins as the record did: a
 *   record that stands at the margin, or at the same distance from it in the array;
 * - else nowhere.
 *
 * The bytes alone decide, wherever they are cut into chunks, so that whoever reads the file once more
 * counts the same records.
 *
 * @returns the place behind it, INCOMPLETE, or ENDLESS
 */
export function endOfBroken(json: JsonBytes, broken: BrokenRecord): number {
  const { start, lines, inArray } = broken;
  // Behind the last record.
  if (inArray && json.bytes[start] === COMMA) return start + 1;
  if (lines && !inArray) return lineEnd(json, start);
  const closed = closedEnd(json, start);
  if (closed === INCOMPLETE) return INCOMPLETE;
  if (closed !== null) {
    const followed = isFollowed(json, closed, broken);
    if (followed === null) return INCOMPLETE;
    if (followed) return closed;
  }
  return nextAlike(json, broken);
}

function lineEnd(json: JsonBytes, start: number): number {
  const end = json.bytes.indexOf(LF, start);
  if (end >= 0 && end < json.end) return end;
  return json.final ? json.end : INCOMPLETE;
}

/** Whether something stands behind a record as it must; null: that is not known yet. */
function isFollowed(json: JsonBytes, end: number, { inArray }: BrokenRecord): boolean | null {
  const at = afterSpace(json, end);
  if (at >= json.end) return json.final ? !inArray : null;
  const byte = json.bytes[at];
  if (inArray) return byte === COMMA || byte === CLOSE_BRACKET;
  return byte === OPEN_BRACE || byte === OPEN_BRACKET;
}

/** Where as many brackets are closed as were opened; null where a string is not. */
function closedEnd(json: JsonBytes, start: number): number | null {
  const { bytes, end } = json;
  let depth = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const quote = closingQuote(json, at);
      if (quote < 0) return quote === INCOMPLETE ? INCOMPLETE : null;
      at = quote;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      // What the record did not open ends the array.
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || byte === LF)) {
      return at;
    }
  }
  return json.final ? null : INCOMPLETE;
}

function closingQuote(json: JsonBytes, quote: number): number {
  const { bytes, end } = json;
  for (let at = quote + 1; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === LF) return ENDLESS;
    if (byte === BACKSLASH) at++;
  }
  return json.final ? ENDLESS : INCOMPLETE;
}

/** The end of what stands before the next line that begins as the record does, or ends the array. */
function nextAlike(json: JsonBytes, { start, inArray, indent }: BrokenRecord): number {
  const { bytes, end } = json;
  const none = json.final ? ENDLESS : INCOMPLETE;
  if (indent < 0) return none;
  for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) {
    const next = afterIndent(json, at + 1);
    if (next >= end) break;
    const margin = next - at - 1;
    if (!inArray) {
      if (margin === indent && bytes[next] === bytes[start]) return at;
      continue;
    }
    const last = lastBefore(bytes, start, at);
    if (bytes[last] === COMMA && margin === indent && bytes[next] === bytes[start]) return last;
    if (bytes[next] === CLOSE_BRACKET && margin <= indent) return last + 1;
  }
  return none;
}

/** Behind spaces and tabs. */
function afterIndent({ bytes }: JsonBytes, at: number): number {
  let next = at;
  while (bytes[next] === 32 || bytes[next] === 9) next++;
  return next;
}

/** The last byte before the line end that is no white space. */
function lastBefore(bytes: Buffer, start: number, lineFeed: number): number {
  let last = lineFeed - 1;
  while (last > start && (bytes[last] === 32 || bytes[last] === 9 || bytes[last] === CR)) last--;
  return last;
}
