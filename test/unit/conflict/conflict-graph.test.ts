import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conflictEdges, criticalPath } from '../../../src/conflict/conflict-graph.ts';

describe('conflictEdges', () => {
  const grouping = { unitFiles: [[0, 1], [3], [4, 5]], fileRows: [10, 10, 99, 100, 30, 10] };

  it('weighs the shares of files by their rows', () => {
    const pairs = [
      { earlier: 0, later: 4, share: 0.5 },
      { earlier: 1, later: 5, share: 1 },
      { earlier: 3, later: 5, share: 0.2 },
    ];
    expect(conflictEdges(pairs, grouping, 0)).toEqual([
      { before: 0, after: 2, share: 25 / 40 },
      { before: 1, after: 2, share: 2 / 40 },
    ]);
  });

  it('leaves out pairs inside a unit, files in no unit, and shares that are too small', () => {
    const pairs = [
      { earlier: 0, later: 1, share: 1 },
      { earlier: 0, later: 2, share: 1 },
      { earlier: 2, later: 3, share: 1 },
      { earlier: 0, later: 3, share: 0.01 },
      { earlier: 3, later: 4, share: 0 },
    ];
    expect(conflictEdges(pairs, grouping, 0.01)).toEqual([]);
    expect(conflictEdges(pairs, grouping, 0)).toEqual([{ before: 0, after: 1, share: 0.01 }]);
  });

  it('never gives more than the whole, and copes with empty files', () => {
    const pairs = [
      { earlier: 0, later: 2, share: 1 },
      { earlier: 1, later: 2, share: 1 },
      { earlier: 2, later: 3, share: 1 },
    ];
    const units = { unitFiles: [[0, 1], [2], [3]], fileRows: [5, 5, 5, 0] };
    expect(conflictEdges(pairs, units, 0)).toEqual([{ before: 0, after: 1, share: 1 }]);
  });
});

const edge = (before: number, after: number) => ({ before, after });

/** A graph of up to eight units, its edges from lower to higher, in any order. */
const graphs = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 }).chain((weights) =>
  fc.record({
    weights: fc.constant(weights),
    edges: fc.shuffledSubarray(
      weights.flatMap((_, after) =>
        Array.from({ length: after }, (__, before) => edge(before, after)),
      ),
    ),
  }),
);

describe('criticalPath', () => {
  it('is the heaviest chain', () => {
    const edges = [edge(0, 2), edge(1, 2), edge(2, 4), edge(0, 3)];
    expect(criticalPath([1, 5, 2, 3, 1], edges)).toEqual({ weight: 8, units: [1, 2, 4] });
    expect(criticalPath([1, 5, 2], [])).toEqual({ weight: 5, units: [1] });
    expect(criticalPath([], [])).toEqual({ weight: 0, units: [] });
  });

  it('agrees with trying every chain', () => {
    fc.assert(
      fc.property(graphs, ({ weights, edges }) => {
        const heaviestFrom = (unit: number): number =>
          (weights[unit] ?? 0) +
          Math.max(
            0,
            ...edges
              .filter(({ before }) => before === unit)
              .map(({ after }) => heaviestFrom(after)),
          );
        const heaviest = Math.max(0, ...weights.map((_, unit) => heaviestFrom(unit)));
        const path = criticalPath(weights, edges);
        expect(path.weight).toBe(heaviest);
        expect(path.units.reduce((sum, unit) => sum + (weights[unit] ?? 0), 0)).toBe(heaviest);
        path.units.slice(1).forEach((unit, index) => {
          expect(edges).toContainEqual(edge(path.units[index] ?? -1, unit));
        });
      }),
    );
  });
});
