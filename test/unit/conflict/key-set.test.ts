import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSorted, keySetsMeet } from '../../../src/conflict/key-set.ts';

const sorted = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();

/** Few values, so that meeting and missing are both common; sometimes the largest hash there is. */
const values = (maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.constant(Number.MAX_SAFE_INTEGER)), {
    maxLength,
  });

describe('keySetsMeet', () => {
  it('agrees with a set of the same values, whatever the sizes', () => {
    const sizes = fc.oneof(
      fc.tuple(values(30), values(30)),
      fc.tuple(values(3), values(600)),
      fc.tuple(values(600), values(3)),
    );
    fc.assert(
      fc.property(sizes, ([a, b]) => {
        const set = new Set(a);
        expect(keySetsMeet(sorted(a), sorted(b))).toBe(b.some((value) => set.has(value)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds each single shared value in a set a thousand times as large', () => {
    const even = Float64Array.from({ length: 5_000 }, (_, index) => index * 2);
    for (let index = 0; index < even.length; index += 7) {
      const value = even[index] ?? 0;
      expect(keySetsMeet(Float64Array.of(value), even)).toBe(true);
      expect(keySetsMeet(even, Float64Array.of(value + 1))).toBe(false);
    }
  });

  it('finds a shared value behind many that are not', () => {
    const even = Float64Array.from({ length: 1_000 }, (_, index) => index * 2);
    const odd = even.map((value) => value + 1);
    expect(keySetsMeet(even, odd)).toBe(false);
    odd[999] = 1_998;
    expect(keySetsMeet(even, odd)).toBe(true);
  });

  it('says that an empty set meets none', () => {
    expect(keySetsMeet(new Float64Array(), Float64Array.of(1))).toBe(false);
    expect(keySetsMeet(new Float64Array(), new Float64Array())).toBe(false);
  });
});

describe('isSorted', () => {
  it.each([
    [[], true],
    [[1], true],
    [[1, 1, 2], true],
    [[2, 1], false],
    [[1, 2, 1], false],
    [[NaN], false],
    [[1, NaN], false],
    [[NaN, 1], false],
  ])('%j: %s', (keys, expected) => {
    expect(isSorted(Float64Array.from(keys))).toBe(expected);
  });
});
