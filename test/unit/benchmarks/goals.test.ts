import { describe, expect, test } from 'vitest';
import { COPY_REFERENCE } from '../../../benchmarks/contenders/copy-reference.ts';
import { goalOutcomes, worstText } from '../../../benchmarks/goal-outcomes.ts';
import { GOALS } from '../../../benchmarks/goals.ts';
import { goalsSection } from '../../../benchmarks/page/goals-section.ts';
import { ratiosOf } from '../../../benchmarks/ratios.ts';
import type { BenchmarkCase, Ratio } from '../../../benchmarks/results.ts';
import { readScenarios } from '../../../benchmarks/scenarios.ts';
import { benchmarkCase, peerCase, run } from '../../support/benchmark-results.ts';

const scenarios = await readScenarios();

/** Every scenario as its file says, by auto and all that it asks for besides, each run alike. */
function everyCase(): BenchmarkCase[] {
  return scenarios.flatMap(({ name, concurrency, strategies, peers, copyReference }) => {
    const own = strategies.flatMap((strategy) =>
      concurrency.map((workers) =>
        benchmarkCase({
          ...{ scenario: name, strategy, concurrency: workers, bytes: 1e9, runs: [run()] },
          chosen: strategy === 'auto' ? 'hybrid' : null,
        }),
      ),
    );
    const others = copyReference ? [...peers, COPY_REFERENCE] : peers;
    return [...own, ...others.map((peer) => peerCase(peer, { scenario: name, runs: [run()] }))];
  });
}

describe('goals', () => {
  const all = goalOutcomes(ratiosOf(everyCase()));

  test.each(all.map((outcome) => [outcome.work, outcome] as const))(
    'of %s are all computed from the scenarios that ship',
    (_, { measured, parts, work }) => {
      expect(measured).toBeGreaterThan(0);
      // Any number of scenarios compare auto with the best.
      if (work !== GOALS.choice.work) expect(measured).toBe(parts);
    },
  );

  test.each(Object.values(GOALS).map(({ work, measure }) => [work, measure] as const))(
    'of %s are measured by a command that exists',
    (_, measure) => {
      const suite = /--suite (\w+)/.exec(measure)?.[1] ?? '';
      const names = /--scenario (\S+)/.exec(measure)?.[1]?.split(',') ?? [];
      for (const name of names) {
        const found = scenarios.find((one) => one.name === name);
        expect(Object.keys(found?.rows ?? {}), name).toContain(suite);
      }
    },
  );

  test('that nothing measured are told as such, with the command', () => {
    const none = goalOutcomes([]);
    expect(new Set(none.map(({ verdict }) => verdict))).toEqual(new Set(['not measured']));
    const [figure] = goalsSection([]).figures;
    expect(figure?.table.rows).toHaveLength(Object.keys(GOALS).length);
    expect(figure?.table.rows.every((row) => row.at(-1)?.startsWith('etl benchmark --suite'))).toBe(
      true,
    );
  });

  test('are missed by one part, and reached only by all of them', () => {
    const wall = ratio({ metric: 'wall', value: 0.8, reach: 0.85 });
    const cpu = ratio({ metric: 'total CPU', value: 1, reach: 0.85 });
    expect(outcome([wall])).toMatchObject({ verdict: 'reached in part', measured: 1, reached: 1 });
    const missed = outcome([wall, cpu]);
    expect(missed).toMatchObject({ verdict: 'MISSED', measured: 2, reached: 1, worst: cpu });
    expect(outcome([wall, { ...cpu, value: 0.5 }])).toMatchObject({ verdict: 'reached' });
    expect(outcome([ratio({ reach: null })])).toMatchObject({ verdict: 'not measured' });
  });

  test('that allow nothing are missed by anything', () => {
    const waits = ratio({ goal: 'workers', metric: 'lock waits', value: 1, reach: 0 });
    const cpu = ratio({ goal: 'workers', metric: 'total CPU', value: 1.05, reach: 1.1 });
    expect(outcome([cpu, waits], 'workers')).toMatchObject({ verdict: 'MISSED', worst: waits });
    const none = { ...waits, value: 0 };
    expect(outcome([cpu, none], 'workers')).toMatchObject({ worst: cpu, reached: 2 });
  });

  test('of other tools are told as factors', () => {
    const slow = ratio({ goal: 'peers', name: 'against row by row', value: 0.016, reach: 1 / 60 });
    const [found] = goalOutcomes([slow]).filter(({ worst }) => worst !== null);
    expect(found === undefined ? '' : worstText(found)).toBe('63 × (against row by row)');
  });
});

function ratio(change: Partial<Ratio>): Ratio {
  return { name: 'one', metric: 'wall', goal: 'distinct', value: 1, reach: 1, ...change };
}

function outcome(ratios: readonly Ratio[], goal: keyof typeof GOALS = 'distinct') {
  return goalOutcomes(ratios).find(({ work }) => work === GOALS[goal].work);
}
