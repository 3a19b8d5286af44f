import { describe, expect, test } from 'vitest';
import { pageFor } from '../../../src/report/page.ts';
import { predictionLines } from '../../../src/report/summary-prediction.ts';
import { printSummary } from '../../../src/report/summary-text.ts';
import type { Foreseen, LoadPrediction } from '../../../src/run/report-types.ts';
import { loadReport, report } from './fixtures.ts';

const page = pageFor({ color: false, width: 140 });
const foreseen = (predicted: number, actual: number): Foreseen => ({
  predicted,
  actual,
  ratio: actual / predicted,
});
const lines = (change: Partial<LoadPrediction>, verbose = false): readonly string[] =>
  predictionLines(
    loadReport({ prediction: { ...loadReport().prediction, ...change } }),
    verbose,
    page,
  );

describe('a prediction that held', () => {
  test.each([[8.4], [12.4], [3.1]])('6.2 s for %d s is not mentioned', (actual) => {
    expect(lines({ seconds: foreseen(6.2, actual) })).toEqual([]);
  });

  test('is told where all is wanted', () => {
    expect(`\n${lines({}, true).join('\n')}\n`).toMatchInlineSnapshot(`
      "
        Predicted  6.2 s (full-parallel 9.8 s), 1,000,000 rows, 1.15 rows per key, 1 conflict.
        Came       8.4 s (1.35 times as long), 1,000,000 rows, 0.6 s waited for earlier units.
      "
    `);
    expect(printSummary(report(), { color: false, width: 140, verbose: true })).toContain(
      lines({}, true).join('\n'),
    );
  });
});

describe('a prediction that erred by more than a factor of two', () => {
  test.each([
    ['too slow', { seconds: foreseen(2, 4.5) }, '4.5 s instead of 2.0 s (predicted for another'],
    ['too fast', { seconds: foreseen(60, 12) }, '12.0 s instead of 1 min 00 s (predicted for'],
    ['rows', { rows: foreseen(10_000, 30_000) }, '30,000 rows instead of 10,000 rows.'],
    ['keys', { multiplicity: foreseen(1, 3.04) }, '3.0 rows per key instead of 1.0 rows per key.'],
  ])('is told in one line: %s', (_, change, text) => {
    const [line, ...more] = lines(change);
    expect(line).toContain(`Prediction ${text}`);
    expect(more).toEqual([]);
    const told = report({
      loads: [loadReport({ prediction: { ...loadReport().prediction, ...change } })],
    });
    expect(printSummary(told, { color: false, width: 140 })).toContain(text);
  });

  test.each([
    ['parts of a second', { seconds: foreseen(0.1, 0.9) }],
    ['a few rows', { rows: foreseen(10, 900) }],
    ['a load that did not end well', { seconds: { predicted: 2, actual: null, ratio: null } }],
  ])('is no news: %s', (_, change) => {
    expect(lines(change)).toEqual([]);
  });
});
