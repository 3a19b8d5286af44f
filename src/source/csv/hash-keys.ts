import type { CsvDialect } from '../source-file.ts';
import { dialectBytes } from './dialect-bytes.ts';

/**
 * How the bytes of a key field say that no other bytes mean the same value: digits without a leading
 * zero, a UUID in lower case, a day as 2026-01-31, or any text. `opaque`: they never do.
 */
export type KeySpelling = 'integer' | 'uuid' | 'date' | 'text' | 'opaque';

export interface KeyField {
  /** Place of the field in the record, from 0. */
  readonly place: number;
  readonly spelling: KeySpelling;
}

/** The keys of records, by their values: quotes around a value are no part of it. */
export interface KeyHashes {
  /** Of the record `[from, to)`; whether its key is spelled so that other bytes are another key. */
  hash(
    bytes: Buffer,
    from: number,
    to: number,
    quoted: boolean,
    lanes: Uint32Array,
    at: number,
  ): boolean;
  range(): { readonly min: number; readonly max: number } | null;
}

/** Digits that a double holds exactly. */
const EXACT_DIGITS = 15;

export function createKeyHashes(
  dialect: CsvDialect,
  keyFields: readonly KeyField[],
  seed: Uint32Array,
): KeyHashes {
  const { delimiter, quote, escape } = dialectBytes(dialect);
  const nullText = Buffer.from(dialect.null, 'utf8');
  const lastPlace = Math.max(...keyFields.map(({ place }) => place));
  const byPlace = Array.from({ length: lastPlace + 1 }, (_, place) => {
    const index = keyFields.findIndex((field) => field.place === place);
    return index === -1 ? null : { index, spelling: keyFields[index]?.spelling ?? 'opaque' };
  });
  const [s0 = 1, s1 = 2] = seed;
  const integers = keyFields[0]?.spelling === 'integer' ? createIntegerRange() : null;

  return {
    hash: (bytes, from, to, quoted, lanes, at) => {
      let a = s0;
      let b = s1;
      let start = from;
      let plain = true;
      for (let place = 0; place <= lastPlace; place++) {
        const end = fieldEnd(bytes, start, to, delimiter, quoted ? quote : -1, escape);
        const key = byPlace[place] ?? null;
        if (key !== null) {
          const inQuotes = quoted && bytes[start] === quote && end - start > 1;
          const first = inQuotes ? start + 1 : start;
          const last = inQuotes ? end - 1 : end;
          const fits =
            isSpelled(bytes, first, last, key.spelling) &&
            !isText(bytes, first, last, nullText) &&
            !(quoted && hasEither(bytes, first, last, quote, escape));
          plain &&= fits;
          if (fits && key.index === 0) integers?.add(bytes, first, last);
          for (let byte = first; byte < last; byte++) {
            a = Math.imul(a ^ (bytes[byte] as number), 0x01000193);
            b = Math.imul(((b ^ (bytes[byte] as number)) << 13) | (b >>> 19), 0x1b873593);
          }
          a = Math.imul(a ^ (256 + key.index), 0x85ebca6b);
          a ^= a >>> 15;
          b = Math.imul(b ^ (256 + key.index), 0xc2b2ae35);
          b ^= b >>> 16;
        }
        start = end + 1;
      }
      lanes[at] = a;
      lanes[at + 1] = b;
      // A record with fewer fields is none of the table's.
      return plain && start <= to + 1;
    },
    range: () => integers?.range() ?? null,
  };
}

/**
 * The range of integers that are spelled as `isSpelled` wants them; null once one is too long to be exact.
 */
function createIntegerRange(): {
  add(bytes: Buffer, from: number, to: number): void;
  range(): { readonly min: number; readonly max: number } | null;
} {
  let min = Infinity;
  let max = -Infinity;
  let exact = true;
  return {
    add: (bytes, from, to) => {
      if (to - from > EXACT_DIGITS) exact = false;
      if (!exact) return;
      const negative = bytes[from] === MINUS;
      let value = 0;
      for (let at = negative ? from + 1 : from; at < to; at++) {
        value = value * 10 + (bytes[at] as number) - ZERO;
      }
      if (negative) value = -value;
      if (value < min) min = value;
      if (value > max) max = value;
    },
    range: () => (exact && min <= max ? { min, max } : null),
  };
}

const ZERO = 48;
const NINE = 57;
const MINUS = 45;

function fieldEnd(
  bytes: Buffer,
  from: number,
  to: number,
  delimiter: number,
  quote: number,
  escape: number,
): number {
  let inQuotes = false;
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (inQuotes && byte === escape) at += 1;
    else if (byte === quote) inQuotes = !inQuotes;
    else if (byte === delimiter && !inQuotes) return at;
  }
  return to;
}

function isSpelled(bytes: Buffer, from: number, to: number, spelling: KeySpelling): boolean {
  if (from >= to) return false;
  switch (spelling) {
    case 'integer': {
      const first = bytes[from] === MINUS ? from + 1 : from;
      if (first === to) return false;
      if (bytes[first] === ZERO && (to - first > 1 || first > from)) return false;
      return areDigits(bytes, first, to);
    }
    case 'uuid':
      return to - from === 36 && isUuid(bytes, from);
    case 'date':
      return (
        to - from === 10 &&
        bytes[from + 4] === MINUS &&
        bytes[from + 7] === MINUS &&
        areDigits(bytes, from, from + 4) &&
        areDigits(bytes, from + 5, from + 7) &&
        areDigits(bytes, from + 8, to)
      );
    case 'text':
      return true;
    case 'opaque':
      return false;
  }
}

function areDigits(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) return false;
  }
  return true;
}

function isUuid(bytes: Buffer, from: number): boolean {
  for (let place = 0; place < 36; place++) {
    const byte = bytes[from + place] as number;
    const dash = place === 8 || place === 13 || place === 18 || place === 23;
    const hex = (byte >= ZERO && byte <= NINE) || (byte >= 97 && byte <= 102);
    if (dash ? byte !== MINUS : !hex) return false;
  }
  return true;
}

function isText(bytes: Buffer, from: number, to: number, text: Buffer): boolean {
  return to - from === text.length && bytes.subarray(from, to).equals(text);
}

function hasEither(bytes: Buffer, from: number, to: number, one: number, other: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] === one || bytes[at] === other) return true;
  return false;
}
