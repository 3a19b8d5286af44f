import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { STRATEGIES } from '../../../src/job/schema.ts';
import { COSTS } from '../../../src/plan/cost-figures.ts';
import { estimateCosts, type CostFacts } from '../../../src/plan/cost.ts';
import type { ConflictEdge, FilePlan } from '../../../src/plan/plan-types.ts';
import { csv, filePlan } from './fixtures.ts';

const EIGHT = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** So many files of so many rows and 8 columns, one unit each, into an empty table. */
function facts(count: number, rows: number, more: Partial<CostFacts> = {}): CostFacts {
  const files = Array.from({ length: count }, (_, i) =>
    filePlan(i, { estimatedRows: rows, targets: EIGHT, description: csv(EIGHT) }),
  );
  return {
    files,
    units: files.map((file) => ({
      ordinal: file.ordinal,
      files: [file.ordinal],
      part: null,
      estimatedRows: rows,
      bytes: rows * 76,
      range: null,
    })),
    conflicts: [],
    multiplicity: 1,
    multiplicityInside: 1,
    concurrency: 4,
    cores: 4,
    targetRows: 0,
    targetEmpty: true,
    newKeys: false,
    dropsSuperseded: false,
    deterministic: true,
    ...more,
  };
}

function everyPair(count: number): ConflictEdge[] {
  return Array.from({ length: count }, (_, after) =>
    Array.from({ length: after }, (__, before) => ({ before, after, share: 1 })),
  ).flat();
}

describe('the cost of a load', () => {
  it('is what was measured: six files with the same 500,000 keys on one processor', () => {
    const same = { multiplicity: 6, conflicts: everyPair(6), concurrency: 2, cores: 1 };
    const costs = estimateCosts(facts(6, 500_000, same));
    expect(costs.sequential).toBeGreaterThan(20);
    expect(costs.sequential).toBeLessThan(26.8);
    expect(costs.partitioned).toBeGreaterThan(7.5);
    expect(costs.partitioned).toBeLessThan(8.5);
  });

  it('of files in no order is that of sorting each of them, but not `partitioned`', () => {
    const sorted = facts(6, 100_000, { concurrency: 2, cores: 2 });
    const inOrder = estimateCosts(sorted);
    const scattered = estimateCosts({ ...sorted, scattered: new Set([0, 1, 2, 3, 4, 5]) });
    expect(inOrder.sequential).toBeLessThan(inOrder['full-parallel']);
    expect(scattered['full-parallel']).toBeLessThan(scattered.sequential);
    expect(scattered['full-parallel']).toBeGreaterThan(inOrder['full-parallel']);
    expect(scattered.partitioned).toBe(inOrder.partitioned);
  });

  it('of new rows that are copied directly is less, and has no merge', () => {
    const staged = facts(2, 500_000, { cores: 1 });
    const units = staged.units.map((unit) => ({
      ...unit,
      direct: { column: 'a', from: null, before: null },
    }));
    const direct = estimateCosts({ ...staged, units, newKeys: true });
    const inserted = estimateCosts({ ...staged, newKeys: true });
    expect(direct['full-parallel'] / inserted['full-parallel']).toBeGreaterThan(0.6);
    expect(direct['full-parallel'] / inserted['full-parallel']).toBeLessThan(0.8);
    expect(direct.sequential).toBeCloseTo(direct['full-parallel']);
  });

  it('of a table that is filled before it gets its key is less than through the key', () => {
    const through = estimateCosts(facts(6, 250_000, { concurrency: 2, cores: 2 }));
    const filled = estimateCosts(facts(6, 250_000, { concurrency: 2, cores: 2, fills: true }));
    expect(filled['full-parallel'] / through.sequential).toBeLessThan(0.75);
    expect(filled['full-parallel']).toBeLessThan(filled.partitioned);
    expect(filled.sequential).toBe(through.sequential);
  });

  it('is that of a proof less where ranges do not meet or all is predicted', () => {
    const open = facts(2, 500_000);
    const apart = {
      ...open,
      units: open.units.map((unit, i) => ({
        ...unit,
        range: { kind: 'integer', min: String(i * 10), max: String(i * 10 + 5) } as const,
      })),
    };
    expect(estimateCosts(apart).hybrid).toBeLessThan(estimateCosts(open).hybrid);
    const predicted = { ...open, conflicts: everyPair(2) };
    const costs = estimateCosts(predicted);
    expect(costs.hybrid).toBeLessThan(costs['full-parallel']);
    const free = estimateCosts({ ...predicted, deterministic: false });
    expect(free['full-parallel']).toBeLessThan(costs.hybrid);
  });

  it('is no less than the longest chain of conflicts', () => {
    const chain = [0, 1, 2].map((before) => ({ before, after: before + 1, share: 0.01 }));
    const none = estimateCosts(facts(4, 500_000)).hybrid;
    const one = estimateCosts(facts(4, 500_000, { conflicts: chain.slice(0, 1) })).hybrid;
    const all = estimateCosts(facts(4, 500_000, { conflicts: chain })).hybrid;
    // Of two merges in order, the work of all files takes longer.
    expect(none).toBeLessThanOrEqual(one);
    expect(one).toBeLessThan(all);
    expect(all).toBeLessThanOrEqual(estimateCosts(facts(4, 500_000)).sequential + 0.2);
  });

  it('of a proof is more than two processors gain by merging at once, and less than eight do', () => {
    const distinct = (cores: number) =>
      estimateCosts(facts(6, 250_000, { cores, concurrency: cores, newKeys: true }));
    expect(distinct(2).sequential).toBeLessThan(distinct(2)['full-parallel']);
    expect(distinct(8)['full-parallel']).toBeLessThan(distinct(8).sequential);
  });

  it('of thousands of files is mostly that of opening them', () => {
    const [many, one] = [facts(10_000, 100), facts(1, 1_000_000)];
    const grouped = { ...many, units: many.units.slice(0, 1) };
    const units = grouped.units.map((unit) => ({
      ...unit,
      files: Array.from(many.files.keys()),
      estimatedRows: 1_000_000,
    }));
    const more = estimateCosts({ ...grouped, units }).sequential - estimateCosts(one).sequential;
    expect(more).toBeGreaterThan(5);
    expect(more).toBeLessThan(7);
  });

  it('is that of merging in order where admission may not hold the keys', () => {
    const huge = estimateCosts(facts(4, LIMITS.admissionKeysMax / 3));
    expect(huge.hybrid).toBe(huge.sequential);
    const fits = estimateCosts(facts(4, LIMITS.admissionKeysMax / 5));
    expect(fits.hybrid).toBeLessThan(fits.sequential);
  });

  it('grows with rewritten CSV and shrinks with Parquet', () => {
    const withDescription = (description: FilePlan['description']) => {
      const base = facts(2, 100_000);
      const files = base.files.map((file) => ({ ...file, description }));
      return estimateCosts({ ...base, files }).sequential;
    };
    const parquet = withDescription({
      kind: 'parquet',
      columns: [],
      rows: 1,
      rowGroups: [],
      createdBy: null,
    });
    expect(parquet).toBeLessThan(withDescription(csv(EIGHT)));
    expect(withDescription(csv(EIGHT))).toBeLessThan(withDescription(csv(EIGHT, { path: 'rows' })));
  });

  it('grows with each column that is looked up, by what was measured', () => {
    const seconds = (lookups: number): number =>
      estimateCosts(facts(1, 1_000_000, { lookups, cores: 1 })).sequential;
    expect(seconds(1) - seconds(0)).toBeCloseTo(2.5, 3);
    expect(seconds(3) - seconds(1)).toBeCloseTo(1.2, 3);
  });

  it('of rows that change nothing is that of comparing them, and of the others beside', () => {
    const plain = facts(6, 250_000);
    const compared = (equal: number): number =>
      estimateCosts({ ...plain, unchanged: { sampled: 200, equal, tableRows: 1_500_000 } })
        .sequential;
    const comparing = 1_500_000 * (COSTS.compareRecord + COSTS.compareTableRow);
    expect(compared(200)).toBeCloseTo(comparing + estimateCosts(facts(6, 0)).sequential);
    expect(compared(0)).toBeCloseTo(comparing + estimateCosts(plain).sequential);
    expect(compared(150)).toBeLessThan(compared(100));
  });

  it('of nothing is next to nothing', () => {
    const costs = estimateCosts({ ...facts(0, 0) });
    expect(Object.values(costs).every((seconds) => seconds >= 0 && seconds < 0.2)).toBe(true);
  });

  const load = fc.record({
    count: fc.integer({ min: 1, max: 8 }),
    rows: fc.integer({ min: 0, max: 2_000_000 }),
    cores: fc.integer({ min: 1, max: 16 }),
    inside: fc.double({ min: 1, max: 4, noNaN: true }),
    between: fc.double({ min: 1, max: 8, noNaN: true }),
    edges: fc.boolean(),
  });
  type Load = typeof load extends fc.Arbitrary<infer T> ? T : never;
  const factsOf = ({ count, rows, cores, inside, between, edges }: Load) =>
    facts(count, rows, {
      cores,
      multiplicityInside: inside,
      multiplicity: inside * Math.min(between, count),
      conflicts: edges ? everyPair(count) : [],
    });

  it('does not fall when there is more to do, nor rise with more processors', () => {
    fc.assert(
      fc.property(load, fc.integer({ min: 1, max: 1_000_000 }), (one, extra) => {
        const costs = estimateCosts(factsOf(one));
        const more = estimateCosts(factsOf({ ...one, rows: one.rows + extra }));
        const faster = estimateCosts(factsOf({ ...one, cores: one.cores + 1 }));
        for (const strategy of STRATEGIES) {
          expect(Number.isFinite(costs[strategy])).toBe(true);
          expect(more[strategy]).toBeGreaterThanOrEqual(costs[strategy]);
          expect(faster[strategy]).toBeLessThanOrEqual(costs[strategy]);
        }
      }),
    );
  });

  it('of partitioned falls with the rows per key, against sequential even more', () => {
    fc.assert(
      fc.property(load, (one) => {
        fc.pre(one.rows > 0);
        const few = estimateCosts(factsOf({ ...one, between: 1 }));
        const many = estimateCosts(factsOf(one));
        expect(many.partitioned).toBeLessThanOrEqual(few.partitioned + 1e-9);
        expect(many.sequential).toBeGreaterThanOrEqual(few.sequential - 1e-9);
      }),
    );
  });
});
