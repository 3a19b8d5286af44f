/**
 * Sets of key hashes as sorted arrays. Hashes are whole numbers of up to 53 bits, so a Float64Array
 * holds them exactly in 8 bytes each; a value may occur more than once.
 */

/**
 * From this ratio of sizes on, leaping through the larger set beats walking through it. Measured
 * against 500,000 keys: a quarter of them walks in 2.7 ms and leaps in 3.8; an eighth 2.4 and 2.2; a
 * sixteenth 2.3 and 1.3; a thousandth 2.1 and 0.03.
 */
const GALLOP_RATIO = 8;

/** Whether two sets, each sorted ascending, share a value. */
export function keySetsMeet(a: Float64Array, b: Float64Array): boolean {
  const [small, large] = a.length <= b.length ? [a, b] : [b, a];
  return small.length * GALLOP_RATIO <= large.length ? gallop(small, large) : march(small, large);
}

/** Whether the array ascends (equal neighbours allowed). A NaN makes it false. */
export function isSorted(keys: Float64Array): boolean {
  for (let index = 1; index < keys.length; index += 1) {
    if (!(at(keys, index - 1) <= at(keys, index))) return false;
  }
  return !Number.isNaN(keys[0]);
}

/**
 * Both steps are arithmetic, not branches: the order of two hashes is a coin toss that no processor
 * predicts. 500,000 against 500,000 keys without a match: 4.2 ms, with if and else 7.1 ms.
 */
function march(a: Float64Array, b: Float64Array): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = at(a, i);
    const right = at(b, j);
    if (left === right) return true;
    i += Number(left < right);
    j += Number(right < left);
  }
  return false;
}

/** For each value of the small set: doubling steps through the large one, then a binary search. */
function gallop(small: Float64Array, large: Float64Array): boolean {
  let low = 0;
  for (const value of small) {
    let step = 1;
    while (low + step < large.length && at(large, low + step) < value) step *= 2;
    low = firstNotBelow(large, value, low, Math.min(low + step, large.length));
    if (low === large.length) return false;
    if (at(large, low) === value) return true;
  }
  return false;
}

function firstNotBelow(keys: Float64Array, value: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(keys, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Reads inside the array's bounds, which every caller here has checked. */
function at(keys: Float64Array, index: number): number {
  return keys[index] as number;
}
