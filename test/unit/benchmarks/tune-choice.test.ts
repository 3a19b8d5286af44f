import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chunkCandidates,
  concurrencyCandidates,
  hasRowPath,
  subBatchCandidates,
} from '../../../benchmarks/tune/candidates.ts';
import { chooseSetting, type Measured } from '../../../benchmarks/tune/choose-setting.ts';
import { measureRounds } from '../../../benchmarks/tune/measure-rounds.ts';
import {
  sureSettings,
  type Choice,
  type TuneRun,
} from '../../../benchmarks/tune/recommendation.ts';
import { filePlan, loadPlan, plan } from '../report/fixtures.ts';

/** Rounds of speeds, by value. */
function rounds(speeds: Readonly<Record<number, number>>, count: number): Measured[] {
  return Array.from({ length: count }, (_, place) =>
    Object.entries(speeds).map(([value, rowsPerSecond]) => ({
      ...{ value: Number(value), round: place + 1, rowsPerSecond },
    })),
  ).flat();
}

describe('the choice', () => {
  const speeds = { 1: 100_000, 2: 190_000, 4: 200_000, 8: 201_000 };

  test('is the smallest value within 5 % of the best', () => {
    const { value, reason, candidates } = chooseSetting(rounds(speeds, 3), null);
    expect(value).toBe(4);
    expect(reason).toBe(
      '200,000 rows/s: the smallest that is at most 5.0 % slower than the fastest (0.5 % slower than 8).',
    );
    expect(candidates.map(({ rowsPerSecond }) => rowsPerSecond)).toEqual(Object.values(speeds));
    expect(candidates.map(({ share }) => Math.round(share * 100))).toEqual([50, 95, 100, 100]);
  });

  test('keeps what the job has where it is good enough, and only there', () => {
    expect(chooseSetting(rounds(speeds, 1), 8).value).toBe(8);
    expect(chooseSetting(rounds(speeds, 1), 1).value).toBe(4);
    expect(chooseSetting(rounds({ 5: 10 }, 3), null)).toMatchObject({
      value: 5,
      reason: 'No other value could be measured.',
    });
  });

  test('says when it rests on too little', () => {
    const { rounds: counted, reason } = chooseSetting(rounds(speeds, 1), null);
    expect(counted).toBe(1);
    expect(reason).toContain('Not sure: measured in 1 round only');
    expect(chooseSetting(rounds(speeds, 3), null).reason).not.toContain('Not sure');
  });

  test('is moved by no single slow run, and by no slow round', () => {
    const slowRun = rounds(speeds, 3).map((run, place) =>
      place === 6 ? { ...run, rowsPerSecond: 9_000 } : run,
    );
    expect(chooseSetting(slowRun, null).value).toBe(4);
    // The machine was busy in the later half of the rounds: that alone would make any median jump.
    const slowRounds = rounds(speeds, 4).map((run) =>
      run.round > 2 ? { ...run, rowsPerSecond: run.rowsPerSecond / 7 } : run,
    );
    expect(chooseSetting(slowRounds, null).value).toBe(4);
  });

  test('leaves a round that was cut short out of account', () => {
    // The machine has become quick; the two that still ran would look twice as fast as the rest.
    const late = [1, 2].map((value) => ({ value, round: 3, rowsPerSecond: 400_000 }));
    const { value, candidates } = chooseSetting([...rounds(speeds, 2), ...late], null);
    expect(value).toBe(4);
    expect(candidates[0]?.rowsPerSecond).toBe(100_000);
  });

  test('depends neither on the order of the runs nor on the speed of the machine', () => {
    const run = fc.record({
      value: fc.constantFrom(1, 2, 4, 8),
      round: fc.integer({ min: 1, max: 4 }),
      rowsPerSecond: fc.integer({ min: 1, max: 1_000_000 }),
    });
    const runs = fc.uniqueArray(run, {
      minLength: 1,
      selector: ({ value, round }) => `${value} ${round}`,
    });
    fc.assert(
      fc.property(runs, fc.integer({ min: 2, max: 9 }), (measured, factor) => {
        const { value, candidates } = chooseSetting(measured, null);
        const chosen = candidates.find((one) => one.value === value);
        expect(chosen?.share).toBeGreaterThanOrEqual(0.95);
        const smaller = candidates.filter((one) => one.value < value);
        expect(smaller.every(({ share }) => share < 0.95)).toBe(true);
        expect(chooseSetting(measured.toReversed(), null).value).toBe(value);
        const scaled = measured.map((one) => ({
          ...one,
          rowsPerSecond: one.rowsPerSecond * 2 ** factor,
        }));
        expect(chooseSetting(scaled, null).value).toBe(value);
      }),
    );
  });
});

describe('rounds', () => {
  async function measured(values: readonly number[], runMs: number, deadlineMs: number) {
    let clock = 0;
    const runs = await measureRounds({
      values,
      deadlineMs,
      now: () => clock,
      run: async (value, round) => {
        clock += runMs;
        return { value, round } as TuneRun;
      },
    });
    return runs.map(({ value, round }) => `${round}:${value}`).join(' ');
  }

  test('warm up, then take turns in another order each time', async () => {
    expect(await measured([1, 2, 4], 1, 1_000)).toBe(
      '0:1 1:1 1:2 1:4 2:1 2:4 2:2 3:4 3:1 3:2 4:4 4:2 4:1 5:2 5:4 5:1',
    );
  });

  test('make one round in any case, and begin no run that the time does not allow', async () => {
    expect(await measured([1, 2], 100, 10)).toBe('0:1 1:1 1:2');
    expect(await measured([1, 2], 100, 420)).toBe('0:1 1:1 1:2 2:1');
    expect(await measured([], 100, 420)).toBe('');
  });
});

describe('candidates', () => {
  const units = (count: number) =>
    Array.from({ length: count }, (_, ordinal) => ({
      ...{ ordinal, files: [0], part: null, estimatedRows: 1, bytes: 1, range: null },
    }));
  const planned = (count: number, server = {}) => {
    const made = plan([loadPlan({ units: units(count), strategy: 'hybrid' })]);
    return { ...made, server: { ...made.server, ...server } };
  };

  test('of concurrency go as far as units, connections and cores allow', () => {
    expect(concurrencyCandidates(planned(100), 2, 'auto')).toEqual([1, 2, 4, 8]);
    expect(concurrencyCandidates(planned(100), 16, 'auto')).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(concurrencyCandidates(planned(5), 2, 3)).toEqual([1, 2, 3, 4]);
    const busy = { maxConnections: 20, connectionsUsed: 14 };
    expect(concurrencyCandidates(planned(100, busy), 2, 8)).toEqual([1, 2]);
    expect(concurrencyCandidates(planned(1), 2, 'auto')).toEqual([1]);
  });

  test('of a partitioned load are owners, too: one unit may be merged by many', () => {
    const made = plan([loadPlan({ units: units(1), strategy: 'partitioned' })]);
    expect(concurrencyCandidates(made, 2, 'auto')).toEqual([1, 2, 4, 8]);
  });

  test('of rows lie around what the job has, within the limits', () => {
    expect(chunkCandidates(100_000)).toEqual([25_000, 100_000, 400_000]);
    expect(subBatchCandidates(10_000)).toEqual([1_000, 10_000, 50_000]);
    expect(subBatchCandidates(1)).toEqual([1, 5]);
    expect(subBatchCandidates(1_000_000)).toEqual([100_000, 1_000_000]);
  });

  test('of sub-batches matter where a file takes the row path', () => {
    expect(hasRowPath(plan())).toBe(false);
    const { description } = filePlan(0);
    if (description.kind !== 'csv') throw new Error('the fixture is CSV');
    const slow = filePlan(0, { description: { ...description, path: 'rows' } });
    expect(hasRowPath(plan([loadPlan({ files: [slow] })]))).toBe(true);
  });
});

test('a job file is changed only for what was measured often enough', () => {
  const choice = (setting: Choice['setting'], rounds: number): Choice => {
    return { setting, rounds, current: 8, recommended: 2, reason: '', candidates: [] };
  };
  expect(sureSettings({ choices: [choice('concurrency', 2), choice('chunkSize', 3)] })).toEqual({
    chunkSize: 2,
  });
});
