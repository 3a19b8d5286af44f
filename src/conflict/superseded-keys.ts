import { assert } from '../assert.ts';

/** 32-bit lanes of one key. */
export const LANES = 4;

/**
 * Which rows lose for certain to another row of the same load, known before anything is sent: the
 * keys seen so far, as their spelling or as 120 bits of a hash of it with a new key for each run.
 * Equal spellings are equal keys, so such a row cannot win; keys that are equal in other spellings
 * stay, for the database to judge.
 *
 * Two of 100 million keys share a hash with a probability of 10^-20, less than that of an undetected
 * error of the memory it stands in. 64 bits would not do: there it is 10^-4. A key of all zeros
 * stands for "no key": such a row is always kept.
 *
 * Pure. Once `keysMax` keys are held, no more are taken in, and rows with new keys are all kept:
 * that costs time, never a row. 24 to 48 bytes per key.
 *
 * Keys stand in the order in which they came, and the slots of the hash table point at them. So a file
 * in the order of another, which is how most are written, is compared key by key with its neighbours
 * and hardly looks into the table. 1.5 million rows in six files of the same keys, in the same order:
 * 0.10 s of CPU, most of it to take in the first file; with the keys in the slots themselves 0.35 s.
 */
export interface SupersededKeys {
  /**
   * Rows of one file, LANES numbers each. Files come in the order in which they win: with
   * `last` (a later row wins) the last file first, and its rows from the last to the first.
   * Returns 1 for each row to keep, 0 for each that is superseded.
   */
  sift(lanes: Uint32Array): { readonly keep: Uint8Array; readonly kept: number };
  /** Keys held. */
  readonly size: () => number;
}

const SLOTS_MIN = 1 << 16;

export function createSupersededKeys(wins: 'first' | 'last', keysMax: number): SupersededKeys {
  /** Number of a key, from 1; 0 where the slot is free. At most half of them are taken. */
  let slots = new Uint32Array(0);
  let mask = -1;
  let keys = new Uint32Array(0);
  let size = 0;

  const makeRoom = (wanted: number): void => {
    let count = SLOTS_MIN;
    while (count < wanted * 2) count *= 2;
    const more = new Uint32Array((count / 2) * LANES);
    more.set(keys);
    keys = more;
    mask = count - 1;
    slots = new Uint32Array(count);
    for (let key = 0; key < size; key++) {
      let slot = hashAt(keys, key * LANES) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = key + 1;
    }
  };
  /** Number of the key, from 0, where it is held; else it is taken in, and -1. */
  const find = (lanes: Uint32Array, at: number): number => {
    let slot = hashAt(lanes, at) & mask;
    for (let held = slots[slot] as number; held !== 0; held = slots[slot] as number) {
      if (isSame(keys, (held - 1) * LANES, lanes, at)) return held - 1;
      slot = (slot + 1) & mask;
    }
    if (size >= keysMax) return -1;
    if (size * 2 > mask) {
      makeRoom(size + 1);
      return find(lanes, at);
    }
    for (let lane = 0; lane < LANES; lane++) keys[size * LANES + lane] = lanes[at + lane] as number;
    size += 1;
    slots[slot] = size;
    return -1;
  };

  return {
    size: () => size,
    sift: (lanes) => {
      const rows = lanes.length / LANES;
      assert(Number.isInteger(rows), 'a row has all of its lanes');
      const keep = new Uint8Array(rows).fill(1);
      let kept = rows;
      const fresh = Math.min(rows, keysMax);
      if (size === 0 && fresh * 2 > slots.length) makeRoom(fresh);
      /** The key that comes if this file has them in the order of one before. */
      let next = 0;
      const step = wins === 'last' ? -1 : 1;
      for (let row = wins === 'last' ? rows - 1 : 0; row >= 0 && row < rows; row += step) {
        const at = row * LANES;
        if (isNone(lanes, at)) continue;
        const neighbour = next < size && isSame(keys, next * LANES, lanes, at);
        const found = neighbour ? next : find(lanes, at);
        if (found === -1) continue;
        next = found + 1;
        keep[row] = 0;
        kept -= 1;
      }
      return { keep, kept };
    },
  };
}

function isNone(lanes: Uint32Array, at: number): boolean {
  return lanes[at] === 0 && lanes[at + 1] === 0 && lanes[at + 2] === 0 && lanes[at + 3] === 0;
}

function isSame(keys: Uint32Array, key: number, lanes: Uint32Array, at: number): boolean {
  return (
    keys[key] === lanes[at] &&
    keys[key + 1] === lanes[at + 1] &&
    keys[key + 2] === lanes[at + 2] &&
    keys[key + 3] === lanes[at + 3]
  );
}

/** Lanes may be spellings, which differ in few bits. One lane after the other it took twice as long. */
function hashAt(lanes: Uint32Array, at: number): number {
  const mixed =
    Math.imul(lanes[at] as number, 0x9e3779b1) ^
    Math.imul(lanes[at + 1] as number, 0x85ebca6b) ^
    Math.imul(lanes[at + 2] as number, 0xc2b2ae35) ^
    Math.imul(lanes[at + 3] as number, 0x27d4eb2f);
  const hash = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
