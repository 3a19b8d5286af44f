import { PageFault } from './parquet-fault.ts';

/** The two lowest bits of a token's first byte; 3 is a copy whose distance has four bytes. */
const LITERAL = 0;
const NEAR_COPY = 1;
const COPY = 2;

/** Literals of more have their length in bytes of its own. */
const SHORT_LITERAL_MAX = 60;

/** The most bytes that a token of those below reads and writes: 64, in steps of four. */
const REACH = 72;

/** Where the decoder is: in the data, and in the page. */
interface Cursor {
  at: number;
  out: number;
}

/**
 * Snappy's raw format, which Parquet pages have: literals, and copies of what came before. Node
 * brings no decoder. Pages of a table are made of tokens of 4 to 16 bytes, so what counts is the
 * cost of a token: 7 ns by `commonTokens`, 14 by a loop over bytes, as in hyparquet's decoder. Steps
 * of eight bytes take 31, since V8 11 allocates a bigint for each.
 *
 * Not taken: WebAssembly, which wants a compiler of its own in the build, the data copied into its
 * memory, and the page copied out of it again.
 *
 * Fills `page`, which has the size of the decoded bytes. @throws PageFault where the data is damaged
 */
export function decompressSnappy(bytes: Uint8Array, page: Uint8Array): void {
  const cursor = { at: endOfPreamble(bytes, page.length), out: 0 };
  while (cursor.at < bytes.length) {
    commonTokens(bytes, page, cursor);
    if (cursor.at < bytes.length) anyToken(bytes, page, cursor);
  }
  if (cursor.out !== page.length) throw damaged();
}

/**
 * Tokens up to one that is unusual, or too near to an end: a step of four bytes may write up to
 * three too many, which the next token overwrites.
 */
function commonTokens(bytes: Uint8Array, page: Uint8Array, cursor: Cursor): void {
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const to = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const last = bytes.length - REACH;
  const lastOut = page.length - REACH;
  let { at, out } = cursor;
  while (at <= last && out <= lastOut) {
    const word = from.getInt32(at, true);
    const kind = word & 3;
    let length = ((word >>> 2) & 63) + 1;
    if (kind === LITERAL) {
      if (length > SHORT_LITERAL_MAX) break;
      at += 1;
      to.setInt32(out, from.getInt32(at, true), true);
      for (let i = 4; i < length; i += 4) to.setInt32(out + i, from.getInt32(at + i, true), true);
      at += length;
      out += length;
      continue;
    }
    let distance = (word >>> 8) & 0xffff;
    if (kind === NEAR_COPY) {
      length = ((word >>> 2) & 7) + 4;
      distance = ((word >>> 8) & 0xff) | ((word & 0xe0) << 3);
    } else if (kind !== COPY) break;
    // What overlaps its own beginning within a step, and what is damaged, is not done here.
    if (distance < 4 || distance > out) break;
    at += kind === NEAR_COPY ? 2 : 3;
    const end = out + length;
    let back = out - distance;
    do {
      to.setInt32(out, to.getInt32(back, true), true);
      out += 4;
      back += 4;
    } while (out < end);
    out = end;
  }
  cursor.at = at;
  cursor.out = out;
}

/** One token, to the byte. */
function anyToken(bytes: Uint8Array, page: Uint8Array, cursor: Cursor): void {
  const { out } = cursor;
  const tag = bytes[cursor.at] ?? 0;
  const kind = tag & 3;
  let at = cursor.at + 1;
  let length = (tag >>> 2) + 1;
  if (kind === LITERAL) {
    const width = Math.max(0, length - SHORT_LITERAL_MAX);
    if (width > 0) length = littleEndian(bytes, at, width) + 1;
    at += width;
    if (length > bytes.length - at || length > page.length - out) throw damaged();
    page.set(bytes.subarray(at, at + length), out);
    at += length;
  } else {
    const width = kind === NEAR_COPY ? 1 : kind === COPY ? 2 : 4;
    let distance = littleEndian(bytes, at, width);
    at += width;
    if (kind === NEAR_COPY) {
      distance += (tag >>> 5) << 8;
      length = ((tag >>> 2) & 7) + 4;
    }
    if (distance === 0 || distance > out || length > page.length - out) throw damaged();
    for (let i = out; i < out + length; i++) page[i] = page[i - distance] ?? 0;
  }
  cursor.at = at;
  cursor.out = out + length;
}

/** The length in front, seven bits a byte, must be the one that the page's header states. */
function endOfPreamble(bytes: Uint8Array, size: number): number {
  let stated = 0;
  for (let at = 0; at < 5; at++) {
    const byte = bytes[at] ?? 0;
    stated += (byte & 0x7f) * 2 ** (7 * at);
    if (byte >= 0x80) continue;
    if (stated !== size) break;
    return at + 1;
  }
  throw damaged();
}

/** In integers of 32 bits throughout: a double here would make doubles of all positions. */
function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  if (at + width > bytes.length) throw damaged();
  let number = 0;
  for (let place = 0; place < width; place++) number |= (bytes[at + place] ?? 0) << (8 * place);
  if (number < 0) throw damaged();
  return number;
}

function damaged(): PageFault {
  return new PageFault('its Snappy data is damaged');
}
