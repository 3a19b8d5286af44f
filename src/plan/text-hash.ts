/**
 * A 53-bit hash of a key by its spelling, for planning only: the proof that two files share no key
 * uses the database's own hash and notion of equality. NaN where a part of the key is null.
 *
 * Two lanes of 32 bits with different constants, so that 2 million sampled keys collide by accident
 * less than once in a thousand loads.
 */
export function hashText(key: readonly (string | null)[]): number {
  let low = 0x811c9dc5;
  let high = 0x9e3779b1;
  for (const part of key) {
    if (part === null) return NaN;
    for (let i = 0; i < part.length; i++) {
      const unit = part.charCodeAt(i);
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul(high + unit, 0x85ebca6b);
      high ^= high >>> 13;
    }
    // The parts' lengths count: ('ab', 'c') is not ('a', 'bc').
    low = Math.imul(low ^ (part.length + 0x10000), 0x01000193);
    high = Math.imul(high + part.length + 0x10000, 0x85ebca6b);
  }
  return (mixed(low) >>> 11) * 2 ** 32 + (mixed(high) >>> 0);
}

function mixed(bits: number): number {
  let mix = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  mix = Math.imul(mix ^ (mix >>> 15), 0x846ca68b);
  return mix ^ (mix >>> 16);
}
