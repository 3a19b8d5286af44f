/** 32-bit lanes of a record's hash. */
export const RECORD_LANES = 4;

/**
 * Hashes the bytes `[from, to)` to 128 bits, which it writes to four places of `lanes`: the rounds of
 * MurmurHash3 for 128 bits of 32-bit numbers, begun from 128 bits of seed. Two different records of a
 * load and a table of 10 million rows each share a hash with a probability of 10^-25 for a seed that
 * nobody knows beforehand; whoever makes records that do share one can keep only his own from
 * being loaded. A SHA-256 of each record costs 0.9 µs for the call alone, this 0.1 for 80 bytes.
 *
 * Pure.
 */
export function hashRecord(
  bytes: DataView,
  from: number,
  to: number,
  seed: Uint32Array,
  lanes: Uint32Array,
  at: number,
): void {
  let h1 = seed[0] as number;
  let h2 = seed[1] as number;
  let h3 = seed[2] as number;
  let h4 = seed[3] as number;
  let place = from;
  for (; place + 16 <= to; place += 16) {
    h1 ^= first(bytes.getInt32(place, true));
    h1 = Math.imul(((h1 << 19) | (h1 >>> 13)) + h2, 5) + 0x561ccd1b;
    h2 ^= second(bytes.getInt32(place + 4, true));
    h2 = Math.imul(((h2 << 17) | (h2 >>> 15)) + h3, 5) + 0x0bcaa747;
    h3 ^= third(bytes.getInt32(place + 8, true));
    h3 = Math.imul(((h3 << 15) | (h3 >>> 17)) + h4, 5) + 0x96cd1c35;
    h4 ^= fourth(bytes.getInt32(place + 12, true));
    h4 = Math.imul(((h4 << 13) | (h4 >>> 19)) + h1, 5) + 0x32ac3b17;
  }
  // What is left is taken as words that end in zeros; the length tells how many of them are data.
  if (place < to) h1 ^= first(wordAt(bytes, place, to));
  if (place + 4 < to) h2 ^= second(wordAt(bytes, place + 4, to));
  if (place + 8 < to) h3 ^= third(wordAt(bytes, place + 8, to));
  if (place + 12 < to) h4 ^= fourth(wordAt(bytes, place + 12, to));

  const length = to - from;
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = finished(h2 + h1);
  h3 = finished(h3 + h1);
  h4 = finished(h4 + h1);
  h1 = (finished(h1) + h2 + h3 + h4) | 0;
  lanes[at] = h1;
  lanes[at + 1] = h2 + h1;
  lanes[at + 2] = h3 + h1;
  lanes[at + 3] = h4 + h1;
}

/** Whether the record of this number among `lanes` has the four lanes of another from `at` on. */
export function isEqualRecord(
  lanes: Uint32Array,
  record: number,
  other: Uint32Array,
  at: number,
): boolean {
  const place = record * RECORD_LANES;
  return (
    lanes[place] === other[at] &&
    lanes[place + 1] === other[at + 1] &&
    lanes[place + 2] === other[at + 2] &&
    lanes[place + 3] === other[at + 3]
  );
}

/** Lanes that are equal to no other record's. */
export function isNoRecord(lanes: Uint32Array, at: number): boolean {
  return (
    ((lanes[at] as number) |
      (lanes[at + 1] as number) |
      (lanes[at + 2] as number) |
      (lanes[at + 3] as number)) ===
    0
  );
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

function first(word: number): number {
  const k = Math.imul(word, C1);
  return Math.imul((k << 15) | (k >>> 17), C2);
}

function second(word: number): number {
  const k = Math.imul(word, C2);
  return Math.imul((k << 16) | (k >>> 16), C3);
}

function third(word: number): number {
  const k = Math.imul(word, C3);
  return Math.imul((k << 17) | (k >>> 15), C4);
}

function fourth(word: number): number {
  const k = Math.imul(word, C4);
  return Math.imul((k << 18) | (k >>> 14), C1);
}

function wordAt(bytes: DataView, at: number, to: number): number {
  if (at + 4 <= to) return bytes.getInt32(at, true);
  let word = 0;
  for (let place = to - 1; place >= at; place--) word = (word << 8) | bytes.getUint8(place);
  return word;
}

/** Every bit of the input reaches every bit of the output. */
function finished(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
