import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSupersededKeys, LANES } from '../../../src/conflict/superseded-keys.ts';

/** Keys as their lanes: a key is the number of its first lane; 0 stands for none. */
function lanesOf(keys: readonly number[]): Uint32Array {
  const lanes = new Uint32Array(keys.length * LANES);
  keys.forEach((key, row) => lanes.set([key, 0, 0, 0], row * LANES));
  return lanes;
}

describe('superseded keys', () => {
  it('keeps the last row of each key when files come last first', () => {
    const keys = createSupersededKeys('last', 100);
    expect([...keys.sift(lanesOf([1, 2, 1])).keep]).toEqual([0, 1, 1]);
    expect(keys.sift(lanesOf([2, 3, 3]))).toEqual({ keep: Uint8Array.of(0, 0, 1), kept: 1 });
  });

  it('keeps the first row of each key when files come first first', () => {
    const keys = createSupersededKeys('first', 100);
    expect([...keys.sift(lanesOf([1, 2, 1])).keep]).toEqual([1, 1, 0]);
    expect([...keys.sift(lanesOf([2, 3, 3])).keep]).toEqual([0, 1, 0]);
  });

  it('takes keys for others that differ in any one of their lanes', () => {
    const keys = createSupersededKeys('first', 100);
    const rows = [
      [7, 7, 7, 7],
      [8, 7, 7, 7],
      [7, 8, 7, 7],
      [7, 7, 8, 7],
      [7, 7, 7, 8],
    ];
    // One after the other, each beside all that were there before.
    for (const row of [...rows, ...rows.toReversed()]) keys.sift(Uint32Array.from(row));
    expect(keys.size()).toBe(rows.length);
    expect(keys.sift(Uint32Array.from(rows.flat())).kept).toBe(0);
  });

  it('keeps every row without a key', () => {
    const keys = createSupersededKeys('last', 100);
    expect([...keys.sift(lanesOf([0, 0])).keep]).toEqual([1, 1]);
    expect(keys.size()).toBe(0);
  });

  it('keeps rows with new keys once it is full, and still knows the others', () => {
    const keys = createSupersededKeys('last', 2);
    expect(keys.sift(lanesOf([1, 2, 3, 3])).kept).toBe(3);
    expect(keys.size()).toBe(2);
    expect([...keys.sift(lanesOf([3, 2, 1])).keep]).toEqual([0, 0, 1]);
  });

  it('drops exactly what loses, in files of any size, growing as it goes', () => {
    const files = fc.array(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 300 }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(files, fc.constantFrom('first' as const, 'last' as const), (all, wins) => {
        const keys = createSupersededKeys(wins, 1_000_000);
        const order = wins === 'last' ? all.toReversed() : all;
        const seen = new Set<number>();
        for (const file of order) {
          const { keep } = keys.sift(lanesOf(file));
          const rows = wins === 'last' ? file.map((_, row) => file.length - 1 - row) : file.keys();
          for (const row of rows) {
            const key = file[row] ?? 0;
            expect(keep[row]).toBe(key !== 0 && seen.has(key) ? 0 : 1);
            seen.add(key);
          }
        }
      }),
    );
  });

  it('grows past its first slots', () => {
    const many = Array.from({ length: 200_000 }, (_, row) => row + 1);
    const keys = createSupersededKeys('last', 1_000_000);
    expect(keys.sift(lanesOf(many)).kept).toBe(200_000);
    expect(keys.sift(lanesOf(many)).kept).toBe(0);
    expect(keys.size()).toBe(200_000);
  });
});
