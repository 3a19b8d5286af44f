import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { estimateOverlap, type FileKeys } from '../../../src/plan/overlap.ts';
import { seeded } from './fixtures.ts';

/** All keys of a file, and how many rows of it are sampled, each row as likely as any other. */
function drawn(file: number, all: readonly number[], sampled: number, seed: number): FileKeys {
  const random = seeded(seed * 7_919 + file);
  const rest = [...all];
  const keys: number[] = [];
  for (let i = 0; i < Math.min(sampled, all.length); i++) {
    const at = i + Math.floor(random() * (rest.length - i));
    [rest[i], rest[at]] = [rest[at] ?? 0, rest[i] ?? 0];
    keys.push(rest[i] ?? 0);
  }
  return {
    file,
    name: `${file}.csv`,
    keys: Float64Array.from(keys),
    rows: all.length,
    complete: keys.length === all.length,
    ordered: false,
    range: null,
  };
}

function whole(file: number, keys: readonly number[]): FileKeys {
  return drawn(file, keys, keys.length, 1);
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe('files of one key each', () => {
  it('are told of as the same keys in two files are', () => {
    const keys = fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 4 });
    fc.assert(
      fc.property(keys, (all) => {
        const single = estimateOverlap(all.map((key, file) => whole(file, [key])));
        const halves = [all.slice(0, 2), all.slice(2)].map((some, file) => whole(file, some));
        expect(single).toEqual(estimateOverlap(halves));
      }),
    );
  });

  it('are paired where two have the same', () => {
    const { estimate } = estimateOverlap([1, 2, 3, 2].map((key, file) => whole(file, [key])));
    expect(estimate.pairs).toEqual([{ earlier: 1, later: 3, sharedSampledKeys: 1, share: 1 }]);
    expect(estimate.multiplicity).toBeCloseTo(4 / 3);
  });
});

describe('files that are sampled whole', () => {
  const key = fc.integer({ min: 0, max: 30 });
  const files = fc.array(fc.array(key, { maxLength: 15 }), { minLength: 1, maxLength: 6 });

  it('give exact pairs, shares and rows per key', () => {
    fc.assert(
      fc.property(files, (all) => {
        const { estimate } = estimateOverlap(all.map((keys, file) => whole(file, keys)));
        const rows = all.flat().length;
        const distinct = new Set(all.flat()).size;
        expect(estimate.multiplicity).toBeCloseTo(rows === 0 ? 1 : rows / distinct);
        expect(estimate.missedShareMax).toBe(0);
        const expected = all.flatMap((later, j) =>
          all.slice(0, j).flatMap((earlier, i) => {
            const shared = [...new Set(later)].filter((each) => earlier.includes(each)).length;
            if (shared === 0) return [];
            return [[i, j, shared, (shared / new Set(later).size).toFixed(6)]];
          }),
        );
        const found = estimate.pairs.map((pair) => [
          pair.earlier,
          pair.later,
          pair.sharedSampledKeys,
          pair.share.toFixed(6),
        ]);
        expect(found.sort()).toEqual(expected.sort());
      }),
    );
  });

  it('list the largest shares first, and by the ordinals of the load', () => {
    const { estimate } = estimateOverlap([
      whole(3, [1, 2, 3, 4]),
      whole(5, [4, 50, 51, 52]),
      whole(9, [1, 2, 3, 90]),
    ]);
    expect(estimate.pairs).toEqual([
      { earlier: 3, later: 9, sharedSampledKeys: 3, share: 0.75 },
      { earlier: 3, later: 5, sharedSampledKeys: 1, share: 0.25 },
    ]);
    expect(estimate.sentence).toBe(
      '2 of 3 pairs of files share keys, most of all 9.csv: about 75 % of its keys are in 3.csv; about 1.50 rows per key; the other pairs share none',
    );
  });

  it('say so in a sentence', () => {
    const none = estimateOverlap([whole(0, [1, 2]), whole(1, [3])]).estimate;
    expect(none.sentence).toBe('no shared key among all 3 keys');
    const one = estimateOverlap([whole(0, [1, 1, 2])]).estimate;
    expect(one.sentence).toBe('one file, so no other to share keys with; about 1.50 rows per key');
    const empty = estimateOverlap([whole(0, []), whole(1, [])]).estimate;
    expect(empty).toMatchObject({ multiplicity: 1, missedShareMax: 0, pairs: [], totalRows: 0 });
  });
});

describe('estimates from a sample', () => {
  it.each([0.02, 0.2, 0.5, 1])('a true share of %d', (share) => {
    const rows = 20_000;
    const shares = numbers(0, 20).map((seed) => {
      const later = numbers(rows * (1 - share), rows * (2 - share));
      const files = [drawn(0, numbers(0, rows), 4_000, seed), drawn(1, later, 4_000, seed)];
      return estimateOverlap(files).estimate.pairs[0]?.share ?? 0;
    });
    const mean = shares.reduce((sum, each) => sum + each, 0) / shares.length;
    // A share is cut at 1, so at 1 the mean is a little below it.
    expect(mean).toBeGreaterThan(0.85 * share);
    expect(mean).toBeLessThan(1.15 * share);
  });

  it.each([
    ['the same keys in six files', 6, 1],
    ['two files that are the same', 2, 1],
    ['five rows per key inside each file', 1, 5],
    ['both', 3, 3],
  ])('rows per key: %s', (_, files, inside) => {
    const keys = numbers(0, 12_000).map((row) => Math.floor(row / inside));
    const sampled = numbers(0, files).map((file) => drawn(file, keys, 1_500, 3));
    const { estimate, multiplicityInside } = estimateOverlap(sampled);
    expect(estimate.multiplicity / (files * inside)).toBeGreaterThan(0.7);
    expect(estimate.multiplicity / (files * inside)).toBeLessThan(1.4);
    expect(multiplicityInside / inside).toBeGreaterThan(0.6);
    expect(multiplicityInside / inside).toBeLessThan(1.5);
  });

  it('one key in a tenth of all rows does not pass for many keys with many rows', () => {
    const keys = numbers(0, 20_000).map((row) => (row % 10 === 0 ? -1 : row));
    const { estimate } = estimateOverlap([drawn(0, keys, 2_000, 5)]);
    expect(estimate.multiplicity).toBeGreaterThan(1.05);
    expect(estimate.multiplicity).toBeLessThan(1.25);
  });
});

describe('what the sample may have missed', () => {
  it('says less than 0.4 % where 20,000 of 500,000 share nothing', () => {
    const file = (ordinal: number, from: number): FileKeys => ({
      ...whole(ordinal, numbers(from, from + 20_000)),
      rows: 500_000,
      complete: false,
    });
    const { estimate } = estimateOverlap([file(0, 0), file(1, 1_000_000)]);
    expect(estimate.missedShareMax).toBeCloseTo(0.00375);
    expect(estimate.sentence).toBe(
      "no shared key among 40,000 sampled of 1.0 million: less than 0.4 % of a file's keys with 95 % confidence",
    );
  });

  // The bound is 3·(5000/500)/500 = 6 % here: true shares a little below it and above it.
  it.each([
    [0.02, 0.065],
    [0.06, 0.1],
  ])('is an upper bound in 90 of 100 samples, for true shares of %d to %d', (low, high) => {
    const rows = 5_000;
    const random = seeded(42);
    let held = 0;
    for (let trial = 0; trial < 100; trial++) {
      const from = Math.round(rows * (1 - low - random() * (high - low)));
      const files = [
        drawn(0, numbers(0, rows), 500, trial),
        drawn(1, numbers(from, from + rows), 500, trial),
      ];
      const { pairs, missedShareMax } = estimateOverlap(files).estimate;
      if (pairs.length > 0 || (rows - from) / rows <= missedShareMax) held++;
    }
    expect(held).toBeGreaterThanOrEqual(90);
  });

  it('is anything where too few are sampled, and nothing more where every pair shares keys', () => {
    const few = { rows: 1_000_000, complete: false };
    const apart = [
      { ...whole(0, [1, 2, 3]), ...few },
      { ...whole(1, [4, 5, 6]), ...few },
    ];
    expect(estimateOverlap(apart).estimate.missedShareMax).toBe(1);
    expect(estimateOverlap(apart).estimate.sentence).toContain('too few to exclude any overlap');
    const none = [{ ...whole(0, []), ...few }, whole(1, [1])];
    expect(estimateOverlap(none).estimate.missedShareMax).toBe(1);
    const shared = [
      { ...whole(0, [1, 2, 3]), ...few },
      { ...whole(1, [1, 5, 6]), ...few },
    ];
    expect(estimateOverlap(shared).estimate.missedShareMax).toBe(0);
  });

  it('is anything where files are sorted, unless their ranges do not meet', () => {
    const sorted = (ordinal: number, min: number, max: number): FileKeys => ({
      ...whole(ordinal, numbers(min, min + 1_000)),
      rows: 10_000,
      complete: false,
      ordered: true,
      range: { kind: 'integer', min: String(min), max: String(max) },
    });
    const meeting = [sorted(0, 0, 9_999), sorted(1, 9_000, 20_000)];
    expect(estimateOverlap(meeting).estimate.missedShareMax).toBe(1);
    const apart = [sorted(0, 0, 8_999), sorted(1, 9_000, 20_000)];
    expect(estimateOverlap(apart).estimate.missedShareMax).toBeCloseTo(0.03);
  });
});

describe('sorted files, of which blocks of rows are sampled', () => {
  it('have all rows of a key in one block', () => {
    const keys = numbers(0, 1_000).map((row) => Math.floor(row / 4));
    const file = { ...whole(0, keys), rows: 25_000, complete: false, ordered: true };
    expect(estimateOverlap([file]).multiplicityInside).toBeCloseTo(4, 0);
  });

  it('have no more rows per key than there are files, even where all samples are alike', () => {
    const files = numbers(0, 3).map((ordinal) => ({
      ...whole(ordinal, numbers(0, 1_000)),
      rows: 100_000,
      complete: false,
      ordered: true,
    }));
    expect(estimateOverlap(files).estimate.multiplicity).toBeCloseTo(3);
  });
});

describe('very many files', () => {
  it('are bounded: one key in all of them, and more pairs than a plan keeps', () => {
    const files = numbers(0, 2_000).map((file) => whole(file, [7, 1_000 + file]));
    const { estimate } = estimateOverlap(files);
    expect(estimate.pairs.length).toBeLessThanOrEqual(LIMITS.overlapPairsPerKeyMax);
    expect(estimate.pairs.length).toBeGreaterThan(0);
    expect(estimate.pairs.every(({ earlier, later }) => earlier < later)).toBe(true);
    expect(estimate.multiplicity).toBeCloseTo(4_000 / 2_001);
    const dense = numbers(0, 200).map((file) => whole(file, numbers(0, 300)));
    expect(estimateOverlap(dense).estimate.pairs).toHaveLength(LIMITS.planPairsMax);
    expect(estimateOverlap(dense).estimate.pairs.every(({ share }) => share > 0.5)).toBe(true);
  });

  it('without overlap are compared by no pair at all', () => {
    const files = numbers(0, 5_000).map((file) => whole(file, [file]));
    expect(estimateOverlap(files).estimate.pairs).toEqual([]);
  });
});
