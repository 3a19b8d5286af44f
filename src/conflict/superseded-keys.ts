import { assert } from '../assert.ts';

/** 32-bit lanes of one key's hash. */
export const LANES = 4;

/**
 * Which rows lose for certain to another row of the same load, known before anything is sent: the
 * keys seen so far, as 128-bit hashes of their spelling. Equal spellings are equal keys, so such a
 * row cannot win; keys that are equal in other spellings stay, for the database to judge.
 *
 * The hash is seeded per run, and two of 100 million keys share one with a probability of 10^-23,
 * less than that of an undetected error of the memory it stands in. 64 bits would not do: there
 * it is 10^-4. A key of all zeros stands for "no key": such a row is always kept.
 *
 * Pure. Once `keysMax` keys are held, no more are taken in, and rows with new keys are all kept:
 * that costs time, never a row. 16 bytes per slot, at most half of them full.
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
  let mask = SLOTS_MIN - 1;
  let slots = new Uint32Array(SLOTS_MIN * LANES);
  let size = 0;

  /** The slot of the key: where it is, or the empty one where it would be. */
  const slotOf = (table: Uint32Array, a: number, b: number, c: number, d: number): number => {
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const at = slot * LANES;
      const [e, f, g, h] = [table[at], table[at + 1], table[at + 2], table[at + 3]];
      if (e === a && f === b && g === c && h === d) return at;
      if (e === 0 && f === 0 && g === 0 && h === 0) return at;
    }
  };
  const grow = (): void => {
    const old = slots;
    mask = mask * 2 + 1;
    slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += LANES) {
      const [a = 0, b = 0, c = 0, d = 0] = [old[at], old[at + 1], old[at + 2], old[at + 3]];
      if ((a | b | c | d) !== 0) slots.set([a, b, c, d], slotOf(slots, a, b, c, d));
    }
  };
  /** Whether the key was there already. */
  const seen = (a: number, b: number, c: number, d: number): boolean => {
    const at = slotOf(slots, a, b, c, d);
    if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) {
      return true;
    }
    if (size >= keysMax) return false;
    slots[at] = a;
    slots[at + 1] = b;
    slots[at + 2] = c;
    slots[at + 3] = d;
    size += 1;
    if (size * 2 > mask) grow();
    return false;
  };

  return {
    size: () => size,
    sift: (lanes) => {
      const rows = lanes.length / LANES;
      assert(Number.isInteger(rows), 'a row has all of its lanes');
      const keep = new Uint8Array(rows).fill(1);
      let kept = rows;
      const step = wins === 'last' ? -1 : 1;
      for (let row = wins === 'last' ? rows - 1 : 0; row >= 0 && row < rows; row += step) {
        const at = row * LANES;
        const [a = 0, b = 0, c = 0, d = 0] = [
          lanes[at],
          lanes[at + 1],
          lanes[at + 2],
          lanes[at + 3],
        ];
        if ((a | b | c | d) === 0 || !seen(a, b, c, d)) continue;
        keep[row] = 0;
        kept -= 1;
      }
      return { keep, kept };
    },
  };
}
