/**
 * Keys of records as four 32-bit lanes each, to be compared and nothing else. A record without a key
 * (a part of it is NULL) has lanes of zero.
 *
 * A key of one field of at most 15 bytes is its bytes: exact, and cheap. A longer one, or one of
 * several fields, is hashed: each field with its place in the key, and the hashes are added, so that
 * files with another order of columns agree. 120 bits; the last byte tells hashes from bytes.
 *
 * The hash is keyed by the seed, since a row whose key only seems to be another's would be lost, and
 * a file may come from somebody who wishes just that: the permutation of Chaskey (Mouha and others,
 * "Chaskey: An Efficient MAC Algorithm for 32-bit Microcontrollers", 2014), block by block. Rejected:
 * murmur3, of which keys are known that meet whatever the seed is.
 */
export interface KeyLanes {
  /** A field of the record's key; `place` is its place in the key, from 0. */
  addField(bytes: Uint8Array, from: number, to: number, place: number): void;
  endRecord(): void;
  /** Ends a record without a key. */
  endWithout(): void;
  /** Forgets what was added of a record. */
  dropRecord(): void;
  /** Of all records; whoever takes them is the last to ask. */
  all(): Uint32Array;
}

/** `seed` is four random numbers, the same for all whose keys are compared. */
export function createKeyLanes(fields: number, seed: Uint32Array): KeyLanes {
  const keys = Array.from({ length: fields }, (_, place) => keyOf(seed, place));
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = seed;
  let lanes = new Uint32Array(LANES_MIN);
  /** Where the lanes of the record stand; they are zero until a field is added. */
  let at = 0;
  let empty = false;
  let hashed = false;

  const nextRecord = (): void => {
    at += 4;
    empty = false;
    hashed = false;
    if (at < lanes.length) return;
    const more = new Uint32Array(lanes.length * 2);
    more.set(lanes);
    lanes = more;
  };
  return {
    addField: (bytes, from, to, place) => {
      const length = to - from;
      if (length === 0) {
        empty = true;
      } else if (fields === 1 && length <= EXACT_BYTES_MAX) {
        lanes[at] = s0 ^ wordAt(bytes, from, to);
        lanes[at + 1] = s1 ^ wordAt(bytes, from + 4, to);
        lanes[at + 2] = s2 ^ wordAt(bytes, from + 8, to);
        lanes[at + 3] = s3 ^ (wordAt(bytes, from + 12, to) | (length << 24));
      } else {
        hashed = true;
        addHash(lanes, at, bytes, from, to, keys[place] as Int32Array);
      }
    },
    endRecord: () => {
      if (empty) lanes.fill(0, at, at + 4);
      else if (hashed) lanes[at + 3] = s3 ^ ((lanes[at + 3] as number) | HASHED);
      nextRecord();
    },
    endWithout: () => {
      lanes.fill(0, at, at + 4);
      nextRecord();
    },
    dropRecord: () => {
      lanes.fill(0, at, at + 4);
      empty = false;
      hashed = false;
    },
    all: () => lanes.subarray(0, at),
  };
}

const LANES_MIN = 4 * 1024;
/** The sixteenth byte is their number. */
const EXACT_BYTES_MAX = 15;
/** In the place of that number. */
const HASHED = 0xff000000;
const ROUNDS = 8;

/** Four bytes at most, the first as the lowest. */
function wordAt(bytes: Uint8Array, at: number, to: number): number {
  if (at + 4 <= to) {
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }
  let word = 0;
  for (let place = to - 1; place >= at; place--) word = (word << 8) | (bytes[place] as number);
  return word;
}

/** Eight words of a place's own: where its hash begins, and what masks its last block. */
function keyOf(seed: Uint32Array, place: number): Int32Array {
  const words = Int32Array.of(...seed.subarray(0, 4), ...seed.subarray(0, 4));
  words[0] = (words[0] as number) ^ (2 * place + 1);
  words[4] = (words[4] as number) ^ (2 * place + 2);
  permuteWith(words, 0, 0, 0, 0);
  permuteWith(words.subarray(4), 0, 0, 0, 0);
  return words;
}

/** Blocks of 16 bytes; behind the last byte comes a 1, so there always is a block to be filled. */
function addHash(
  lanes: Uint32Array,
  place: number,
  bytes: Uint8Array,
  from: number,
  to: number,
  key: Int32Array,
): void {
  for (let lane = 0; lane < 4; lane++) state[lane] = key[lane] as number;
  let at = from;
  for (; at + 16 <= to; at += 16) {
    permuteWith(
      state,
      wordAt(bytes, at, to),
      wordAt(bytes, at + 4, to),
      wordAt(bytes, at + 8, to),
      wordAt(bytes, at + 12, to),
    );
  }
  const k0 = key[4] as number;
  const k1 = key[5] as number;
  const k2 = key[6] as number;
  const k3 = key[7] as number;
  permuteWith(
    state,
    k0 ^ endWordAt(bytes, at, to),
    k1 ^ endWordAt(bytes, at + 4, to),
    k2 ^ endWordAt(bytes, at + 8, to),
    k3 ^ endWordAt(bytes, at + 12, to),
  );
  lanes[place] = (lanes[place] as number) + ((state[0] as number) ^ k0);
  lanes[place + 1] = (lanes[place + 1] as number) + ((state[1] as number) ^ k1);
  lanes[place + 2] = (lanes[place + 2] as number) + ((state[2] as number) ^ k2);
  lanes[place + 3] = (lanes[place + 3] as number) + ((state[3] as number) ^ k3);
}

/** Of one field at a time: nothing is awaited in between. */
const state = new Int32Array(4);

/** With the 1 behind the last byte, where it falls into this word. */
function endWordAt(bytes: Uint8Array, at: number, to: number): number {
  const word = wordAt(bytes, at, to);
  return at <= to && to < at + 4 ? word | (1 << (8 * (to - at))) : word;
}

/** The four words are added to the state (by XOR), which is permuted then. */
function permuteWith(words: Int32Array, w0: number, w1: number, w2: number, w3: number): void {
  let a = (words[0] as number) ^ w0;
  let b = (words[1] as number) ^ w1;
  let c = (words[2] as number) ^ w2;
  let d = (words[3] as number) ^ w3;
  for (let round = 0; round < ROUNDS; round++) {
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 13) | (d >>> 19)) ^ a;
    c = (c + b) | 0;
    b = ((b << 7) | (b >>> 25)) ^ c;
    c = (c << 16) | (c >>> 16);
  }
  words[0] = a;
  words[1] = b;
  words[2] = c;
  words[3] = d;
}
