import { describe, expect, test } from 'vitest';
import { predictionOf, type LoadOutcome } from '../../../src/run/prediction.ts';
import { fileReport, loadPlan, noCounts } from '../report/fixtures.ts';

/** Three files to load, and a fourth that an earlier run loaded. */
const OUTCOME: LoadOutcome = {
  files: [
    fileReport(0, { waitMs: 0 }),
    fileReport(1, { waitMs: 300 }),
    fileReport(2, { waitMs: 400 }),
    fileReport(3, { ...noCounts, status: 'skipped' }),
  ],
  totals: {
    rowsRead: 1_400_000,
    inserted: 900_000,
    updated: 400_000,
    unchanged: 50_000,
    superseded: 40_000,
    rejected: 10_000,
  },
  seconds: 12.4,
};

const TABLE = loadPlan().table;

describe('a prediction', () => {
  test('stands beside what came', () => {
    expect(predictionOf(loadPlan(), OUTCOME)).toEqual({
      seconds: { predicted: 6.2, actual: 12.4, ratio: 2 },
      rows: { predicted: 1_500_000, actual: 1_400_000, ratio: 14 / 15 },
      multiplicity: { predicted: 1.1538, actual: null, ratio: null },
      conflicts: { predicted: 3, waitedMs: 700 },
      strategies: [
        { strategy: 'full-parallel', seconds: 9.8 },
        { strategy: 'hybrid', seconds: 6.2 },
        { strategy: 'sequential', seconds: 12.4 },
        { strategy: 'partitioned', seconds: null },
      ],
    });
  });

  test.each([
    ['partitioned writes each key once', loadPlan({ strategy: 'partitioned' }), 1_390 / 1_350],
    [
      'of an empty table each key was new once',
      loadPlan({ table: { ...TABLE, empty: true } }),
      1_390 / 900,
    ],
    [
      'so was it of a table that the load made',
      loadPlan({ table: { ...TABLE, create: 'create table …' } }),
      1_390 / 900,
    ],
    ['without a key there is none', loadPlan({ key: [], strategy: 'partitioned' }), null],
  ])('of rows per key: %s', (_, load, actual) => {
    expect(predictionOf(load, OUTCOME).multiplicity.actual).toBe(actual);
  });

  test('a unit of one merge saw all rows of a key', () => {
    const one = loadPlan({ units: loadPlan().units.slice(0, 1) });
    expect(predictionOf(one, OUTCOME).multiplicity.actual).toBe(1_390 / 1_350);
  });

  test('files of one unit wait once', () => {
    const [unit] = loadPlan().units;
    if (unit === undefined) throw new Error('no unit');
    const files = OUTCOME.files.map((file) => ({ ...file, waitMs: 250 }));
    const grouped = loadPlan({ units: [{ ...unit, files: [0, 1, 2] }] });
    expect(predictionOf(grouped, { ...OUTCOME, files }).conflicts.waitedMs).toBe(250);
  });

  test.each(['failed', 'not-loaded'] as const)(
    'of a load with a file %s shows no outcome',
    (status) => {
      const files = OUTCOME.files.with(1, fileReport(1, { ...noCounts, status }));
      const { seconds, rows, multiplicity, conflicts } = predictionOf(loadPlan(), {
        ...OUTCOME,
        files,
      });
      expect(seconds).toEqual({ predicted: 6.2, actual: null, ratio: null });
      expect(rows.actual).toBeNull();
      expect(multiplicity.actual).toBeNull();
      expect(conflicts.waitedMs).toBeNull();
    },
  );

  test('of keys that were not sampled says nothing', () => {
    const { overlap } = loadPlan();
    const load = loadPlan({ overlap: { ...overlap, sampled: false }, strategy: 'partitioned' });
    expect(predictionOf(load, OUTCOME).multiplicity).toEqual({
      predicted: null,
      actual: 1_390 / 1_350,
      ratio: null,
    });
  });
});
