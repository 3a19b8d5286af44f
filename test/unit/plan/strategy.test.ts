import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { STRATEGIES, type Strategy } from '../../../src/job/schema.ts';
import type { Costs } from '../../../src/plan/cost.ts';
import { bringSameColumns } from '../../../src/plan/obstacles.ts';
import { notSampled } from '../../../src/plan/overlap-sentence.ts';
import { chooseStrategy, strategyCosts, type StrategyFacts } from '../../../src/plan/strategy.ts';
import type { Coupling } from '../../../src/target/table.ts';

const TRIGGER: Coupling = { kind: 'row trigger', name: 'audit', sentence: 'row trigger audit …' };
const UNHASHABLE: Coupling = { kind: 'key not hashable', name: 'id', sentence: 'no hash of id' };
const COSTS: Costs = { 'full-parallel': 3, hybrid: 3, sequential: 9, partitioned: 5 };
const EDGE = { before: 0, after: 1, share: 0.1 };

function facts(more: Partial<StrategyFacts> = {}): StrategyFacts {
  const unit = { part: null, estimatedRows: 10, bytes: 10, range: null };
  return {
    requested: 'auto',
    onConflict: 'update',
    deterministic: true,
    couplings: [],
    sameColumns: true,
    units: [0, 1, 2].map((ordinal) => ({ ...unit, ordinal, files: [ordinal] })),
    split: null,
    conflicts: [],
    overlap: { ...notSampled('no shared key among all', 30), multiplicity: 2 },
    table: 'app.orders',
    ...more,
  };
}

/** Units that may be copied into the table directly. */
function direct(): Partial<StrategyFacts> {
  const window = { column: 'id', from: null, before: null };
  const units = facts().units.map((unit) => ({ ...unit, direct: window }));
  return { units, split: { files: 1, parts: 2 } };
}

function choose(more: Partial<StrategyFacts> = {}, costs: Partial<Costs> = {}) {
  const own = facts(more);
  return chooseStrategy(own, strategyCosts(own, { ...COSTS, ...costs }));
}

describe('the strategy of a load', () => {
  it.each<[Strategy, Partial<StrategyFacts>, Partial<Costs>, string]>([
    [
      'full-parallel',
      {},
      {},
      'no shared key among all; about 3.0 s, against 5.0 s for partitioned',
    ],
    [
      'full-parallel',
      direct(),
      { partitioned: 2.3 },
      'new rows are copied into the table without staging; about 3.0 s, against 2.3 s',
    ],
    ['partitioned', direct(), { partitioned: 2.2 }, '1 large file is split into 2 parts'],
    [
      'partitioned',
      { ...direct(), directShares: 2 },
      { partitioned: 2.9 },
      'new rows are copied into the table without staging, by 2 workers at once; about 2.9 s',
    ],
    ['full-parallel', { ...direct(), directShares: 2 }, { partitioned: 3.1 }, 'new rows are'],
    ['hybrid', { conflicts: [EDGE] }, {}, '1 of 3 pairs of units share keys'],
    [
      'hybrid',
      { conflicts: [EDGE, { ...EDGE, after: 2 }, { ...EDGE, before: 1, after: 2 }] },
      { sequential: 3.04 },
      'all units share keys, so they are staged at once and merged in order; about 3.0 s, the same as sequential',
    ],
    ['partitioned', {}, { partitioned: 1 }, 'about 2.0 rows per key, and each key is written once'],
    [
      'partitioned',
      { units: facts().units.slice(0, 1), split: { files: 1, parts: 7 } },
      { partitioned: 1 },
      '1 large file is split into 7 parts, so that all workers have work; about 1.0 s, against 3.0 s',
    ],
    [
      'partitioned',
      { deterministic: false, split: { files: 2, parts: 9 } },
      { partitioned: 1 },
      '2 large files are split into 9 parts',
    ],
    ['sequential', { conflicts: [EDGE] }, { sequential: 1 }, 'nearly all units share keys'],
    ['sequential', { couplings: [TRIGGER, UNHASHABLE] }, {}, 'row trigger audit … (and 1 more)'],
    ['sequential', { couplings: [TRIGGER], onConflict: 'append' }, {}, 'row trigger audit …'],
    ['full-parallel', { onConflict: 'append' }, { partitioned: 0 }, 'append has no key'],
    ['full-parallel', { deterministic: false }, { partitioned: 0 }, 'deterministic is off'],
    ['full-parallel', { deterministic: false, couplings: [TRIGGER] }, {}, 'deterministic is off'],
    ['full-parallel', { sameColumns: false }, { partitioned: 0 }, 'no shared key'],
    ['full-parallel', { units: [] }, {}, 'nothing is left to load'],
    ['full-parallel', { units: facts().units.slice(0, 1) }, {}, 'one unit of work'],
    ['hybrid', { requested: 'hybrid' }, { hybrid: 99 }, 'as asked for; about 2 min'],
    ['sequential', { requested: 'sequential', couplings: [TRIGGER] }, {}, 'as asked for'],
    ['hybrid', { requested: 'hybrid', units: [], couplings: [TRIGGER] }, {}, 'nothing is left'],
    ['hybrid', { requested: 'hybrid', couplings: [TRIGGER], deterministic: false }, {}, 'as asked'],
  ])('is %s: %j %j', (strategy, more, costs, reason) => {
    const choice = choose(more, costs);
    expect(choice.strategy).toBe(strategy);
    expect(choice.reason).toContain(reason);
  });

  it.each<[Strategy, Partial<StrategyFacts>, string]>([
    ['full-parallel', { couplings: [TRIGGER] }, 'row trigger audit'],
    ['hybrid', { couplings: [TRIGGER] }, 'row trigger audit'],
    ['partitioned', { couplings: [TRIGGER] }, 'row trigger audit'],
    ['partitioned', { sameColumns: false }, 'different columns'],
    ['partitioned', { onConflict: 'append' }, 'append has no key'],
    ['partitioned', { couplings: [UNHASHABLE], deterministic: false }, 'no hash of id'],
  ])('is never %s where that breaks the promise: %j', (requested, more, why) => {
    const refused = () => choose({ ...more, requested });
    expect(refused).toThrow(EtlError);
    expect(refused).toThrow(why);
    expect(refused).toThrow('--strategy auto');
    const cost = strategyCosts(facts(more), COSTS).find(({ strategy }) => strategy === requested);
    expect(cost?.seconds).toBeNull();
    expect(cost?.why).toContain(why);
  });

  it('has an estimate and a sentence for each', () => {
    const costs = strategyCosts(facts({ conflicts: [EDGE] }), COSTS);
    expect(costs.map((cost) => [cost.strategy, cost.seconds])).toEqual(
      STRATEGIES.map((strategy) => [strategy, COSTS[strategy]]),
    );
    expect(costs.every((cost) => cost.why.length > 10)).toBe(true);
  });
});

describe('files that bring the same columns', () => {
  it.each([
    [
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      true,
    ],
    [[['a', null], ['a']], true],
    [[['a', 'b'], ['a']], false],
    [[], true],
  ])('%j: %s', (targets, expected) => {
    expect(bringSameColumns(targets.map((each) => ({ targets: each })))).toBe(expected);
  });
});
