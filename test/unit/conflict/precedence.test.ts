import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePaths, inNaturalOrder } from '../../../src/conflict/precedence.ts';

describe('comparePaths', () => {
  it.each([
    ['file2.csv', 'file10.csv'],
    ['file2', 'file2a'],
    ['a/b2.csv', 'a/b10.csv'],
    ['2024-2-1.csv', '2024-10-1.csv'],
    ['a/z.csv', 'a-b/a.csv'],
    ['a/z/0.csv', 'a/z.csv'],
    ['Z.csv', 'a.csv'],
    ['part-9007199254740992.csv', 'part-9007199254740993.csv'],
    ['part-99999999999999999998.csv', 'part-99999999999999999999.csv'],
    ['part-00000000000000000009.csv', 'part-10.csv'],
    ['a01.csv', 'a1.csv'],
    ['a01b2.csv', 'a1b10.csv'],
    ['', 'a'],
    ['ä', 'ö'],
  ])('puts %s before %s', (earlier, later) => {
    expect(comparePaths(earlier, later)).toBeLessThan(0);
    expect(comparePaths(later, earlier)).toBeGreaterThan(0);
  });

  it('is a total order: antisymmetric, transitive, zero only for the same path', () => {
    const part = fc.constantFrom('a', 'B', '-', '/', '.', '0', '1', '2', '00', '10', 'é');
    const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(path, path, path, (a, b, c) => {
        expect(Math.sign(comparePaths(a, b))).toBe(-Math.sign(comparePaths(b, a)) + 0);
        expect(comparePaths(a, b) === 0).toBe(a === b);
        const sorted = [a, b, c].sort(comparePaths);
        expect(comparePaths(sorted[0] ?? '', sorted[2] ?? '')).toBeLessThanOrEqual(0);
        if (comparePaths(a, b) <= 0 && comparePaths(b, c) <= 0) {
          expect(comparePaths(a, c)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('gives one order however the paths are shuffled', () => {
    const paths = ['b1', 'b01', 'b2', 'b10', 'a/1', 'a/02', 'a/2', 'A/3', 'a-1/1'];
    const expected = ['A/3', 'a/1', 'a/02', 'a/2', 'a-1/1', 'b01', 'b1', 'b2', 'b10'];
    fc.assert(
      fc.property(fc.shuffledSubarray(paths, { minLength: paths.length }), (shuffled) => {
        expect([...shuffled].sort(comparePaths)).toEqual(expected);
      }),
    );
  });
});

describe('inNaturalOrder', () => {
  it('is the order of comparePaths', () => {
    const parts = ['a', 'B', '-', '/', '.', '0', '1', '2', '00', '10', 'é', ' ', '~'];
    const long = '12345678901234567890123456789012345678901234567';
    const path = fc
      .array(fc.constantFrom(...parts, long), { maxLength: 6 })
      .map((drawn) => drawn.join(''));
    const folder = fc.constantFrom('', '/', 'lake/07/', 'lake/07/a1');
    fc.assert(
      fc.property(fc.array(path, { maxLength: 8 }), folder, (ends, shared) => {
        const paths = ends.map((end) => `${shared}${end}`);
        const sorted = inNaturalOrder(paths.map((one) => ({ path: one })));
        expect(sorted.map((one) => one.path)).toEqual(paths.toSorted(comparePaths));
      }),
      { numRuns: 3000 },
    );
  });
});
