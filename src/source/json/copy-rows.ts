import { arrayLiteral } from './array-literal.ts';
import { JsonFault, type JsonBytes } from './json-bytes.ts';
import { MISSING, type RecordFields } from './read-record.ts';
import { integerText } from './string-text.ts';

/**
 * How a column takes a value. `text`: strings as their text, objects and arrays as JSON, numbers as
 * they are spelled. `integer`: so, but whole numbers without point and exponent. `json`: everything
 * as JSON. `array` and `json-array`: arrays as arrays of PostgreSQL, all else as text.
 */
export type JsonForm = 'text' | 'integer' | 'json' | 'array' | 'json-array';

/** Rows for `COPY … (format text)`, one line for each record, whatever its values hold. */
export interface CopyRows {
  readonly forms: readonly JsonForm[];
  buffer: Buffer;
  length: number;
  /** The slot that is being written. */
  slot: number;
}

const BLOCK_BYTES = 256 * 1024;

export function copyRows(forms: readonly JsonForm[]): CopyRows {
  return { forms, buffer: Buffer.allocUnsafeSlow(BLOCK_BYTES), length: 0, slot: 0 };
}

/** The rows so far; they are gone from the writer. */
export function takeRows(rows: CopyRows): Buffer {
  const taken = rows.buffer.subarray(0, rows.length);
  rows.buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  rows.length = 0;
  return taken;
}

export function isFull(rows: CopyRows): boolean {
  return rows.length > BLOCK_BYTES - BLOCK_BYTES / 8;
}

const [TAB, LF, CR, QUOTE, SLASH, BACKSLASH] = [9, 10, 13, 34, 47, 92] as const;
const [OPEN_BRACKET, SMALL_B, SMALL_F, SMALL_N, SMALL_R, SMALL_T] = [
  91, 98, 102, 110, 114, 116,
] as const;

/** @throws JsonFault `value` where a string holds what text of PostgreSQL cannot */
export function writeRow(rows: CopyRows, json: JsonBytes, fields: RecordFields): void {
  const { forms } = rows;
  for (let slot = 0; slot < forms.length; slot++) {
    const start = fields.starts[slot] as number;
    const end = fields.ends[slot] as number;
    // No byte of a value is written as more than two.
    reserve(rows, start === MISSING ? 3 : 2 * (end - start) + 3);
    if (slot > 0) rows.buffer[rows.length++] = TAB;
    rows.slot = slot;
    if (start === MISSING || json.bytes[start] === SMALL_N) writeNull(rows);
    else writeValue(rows, json, start, end, fields.escaped[slot] === 1);
  }
  reserve(rows, 1);
  rows.buffer[rows.length++] = LF;
}

function reserve(rows: CopyRows, bytes: number): void {
  if (rows.length + bytes <= rows.buffer.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(2 * rows.buffer.length, rows.length + bytes));
  rows.buffer.copy(larger, 0, 0, rows.length);
  rows.buffer = larger;
}

function writeNull(rows: CopyRows): void {
  rows.buffer[rows.length++] = BACKSLASH;
  rows.buffer[rows.length++] = 78;
}

function writeValue(
  rows: CopyRows,
  json: JsonBytes,
  start: number,
  end: number,
  escaped: boolean,
): void {
  const { bytes } = json;
  const form = rows.forms[rows.slot];
  const first = bytes[start];
  if (form === 'json') {
    writeEscaped(rows, bytes, start, end);
  } else if (first === QUOTE) {
    if (escaped) writeDecoded(rows, bytes, start + 1, end - 1);
    else copyBytes(rows, bytes, start + 1, end - 1);
  } else if (first === OPEN_BRACKET && (form === 'array' || form === 'json-array')) {
    const literal = Buffer.from(arrayLiteral(json, start, form === 'json-array'));
    reserve(rows, 2 * literal.length + 1);
    writeEscaped(rows, literal, 0, literal.length);
  } else if (form === 'integer') {
    const text = integerText(bytes.toString('latin1', start, end));
    reserve(rows, text.length);
    rows.length += rows.buffer.write(text, rows.length, 'latin1');
  } else {
    writeEscaped(rows, bytes, start, end);
  }
}

/** Below so many bytes a loop is faster than a call. */
const LOOP_MAX = 24;

/** A string without escapes holds no byte that COPY takes for its own: JSON forbids them there. */
function copyBytes(rows: CopyRows, bytes: Buffer, start: number, end: number): void {
  const { buffer } = rows;
  let { length } = rows;
  if (end - start > LOOP_MAX) {
    bytes.copy(buffer, length, start, end);
    length += end - start;
  } else {
    for (let at = start; at < end; at++) buffer[length++] = bytes[at] as number;
  }
  rows.length = length;
}

/** COPY's own escapes, so that a row stays one line. */
function writeEscaped(rows: CopyRows, bytes: Buffer, start: number, end: number): void {
  const { buffer } = rows;
  let { length } = rows;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === BACKSLASH || (byte <= CR && byte >= TAB)) {
      const escape = escapeOf(byte);
      if (escape !== 0) buffer[length++] = BACKSLASH;
      buffer[length++] = escape === 0 ? byte : escape;
    } else {
      buffer[length++] = byte;
    }
  }
  rows.length = length;
}

/** What stands for the byte behind a backslash; 0 where the byte may stand as it is. */
function escapeOf(byte: number): number {
  switch (byte) {
    case BACKSLASH:
      return BACKSLASH;
    case LF:
      return SMALL_N;
    case CR:
      return SMALL_R;
    case TAB:
      return SMALL_T;
    default:
      return 0;
  }
}

/** A string's text: its escapes decoded, and then COPY's own. */
function writeDecoded(rows: CopyRows, bytes: Buffer, start: number, end: number): void {
  const { buffer } = rows;
  let at = start;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte !== BACKSLASH) {
      buffer[rows.length++] = byte;
      at++;
      continue;
    }
    const kind = bytes[at + 1] as number;
    if (kind === 117) {
      at = writeUnicode(rows, bytes, at);
      continue;
    }
    writeEscape(rows, kind);
    at += 2;
  }
}

function writeEscape(rows: CopyRows, kind: number): void {
  const { buffer } = rows;
  switch (kind) {
    case QUOTE:
    case SLASH:
      buffer[rows.length++] = kind;
      return;
    case SMALL_B:
      buffer[rows.length++] = 8;
      return;
    case SMALL_F:
      buffer[rows.length++] = 12;
      return;
    default:
      // A backslash, n, r and t are spelled alike in JSON and in COPY.
      buffer[rows.length++] = BACKSLASH;
      buffer[rows.length++] = kind;
  }
}

/** Writes the character of `\uXXXX`, or of two of them; returns the place behind. */
function writeUnicode(rows: CopyRows, bytes: Buffer, at: number): number {
  const unit = unitAt(bytes, at);
  if (unit === 0) throw new JsonFault(at, 'text of PostgreSQL cannot hold \\u0000', 'value');
  if (unit < 0xd800 || unit > 0xdfff) {
    writeCharacter(rows, String.fromCharCode(unit));
    return at + 6;
  }
  const low = bytes[at + 6] === BACKSLASH && bytes[at + 7] === 117 ? unitAt(bytes, at + 6) : 0;
  if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
    throw new JsonFault(at, 'half of a surrogate pair stands alone', 'value');
  }
  writeCharacter(rows, String.fromCharCode(unit, low));
  return at + 12;
}

function unitAt(bytes: Buffer, at: number): number {
  return Number.parseInt(bytes.toString('latin1', at + 2, at + 6), 16);
}

function writeCharacter(rows: CopyRows, character: string): void {
  const escape = escapeOf(character.charCodeAt(0));
  if (escape !== 0) rows.buffer[rows.length++] = BACKSLASH;
  const text = escape === 0 ? character : String.fromCharCode(escape);
  rows.length += rows.buffer.write(text, rows.length);
}
