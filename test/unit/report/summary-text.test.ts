import { describe, expect, test } from 'vitest';
import { exitCodeOfReport } from '../../../src/report/exit-code.ts';
import { sumKnown } from '../../../src/target/known-counts.ts';
import { printSummary } from '../../../src/report/summary-text.ts';
import { displayWidth } from '../../../src/report/text-width.ts';
import type { Counts, Report } from '../../../src/run/report-types.ts';
import { fileReport, loadReport, noCounts, report, rowError } from './fixtures.ts';

const summary = (value: Report, width = 120): string =>
  printSummary(value, { color: false, width });

const troubled = report({
  status: 'failed',
  loads: [
    loadReport({
      files: [
        fileReport(0),
        fileReport(1, { ...noCounts, status: 'skipped', attempts: 0 }),
        fileReport(2, { ...noCounts, status: 'failed', error: rowError }),
        fileReport(3, { ...noCounts, status: 'not-loaded', attempts: 0 }),
      ],
      totals: {
        rowsRead: 500_000,
        inserted: 400_000,
        updated: 90_000,
        unchanged: 9_998,
        superseded: 2,
        rejected: 0,
      },
    }),
  ],
  error: rowError,
});

describe('the summary', () => {
  test('of a run that loaded all', () => {
    expect(`\n${summary(report())}`).toMatchInlineSnapshot(`
      "
      app.orders  key id, hybrid, 3 workers
        file                 read  inserted  updated  unchanged  superseded  rejected  seconds   rows/s  status
        ──────────────  ─────────  ────────  ───────  ─────────  ──────────  ────────  ───────  ───────  ──────
        orders-1.csv      500,000   400,000   90,000      9,998           2         0      3.4  147,059  loaded
        orders-2.csv      500,000   400,000   90,000      9,998           2         0      3.4  147,059  loaded
        ──────────────  ─────────  ────────  ───────  ─────────  ──────────  ────────  ───────  ───────  ──────
        2 files loaded  1,000,000   800,000  180,000     19,996           4         0      8.4  119,048

      Loaded: 1,000,000 rows read in 8.4 s, 119,048 rows/s, exit code 0
      "
    `);
  });

  test('of a run that failed says what is wrong and what to do, once', () => {
    expect(`\n${summary(troubled)}`).toMatchInlineSnapshot(`
      "
      app.orders  key id, hybrid, 3 workers
        file              read  inserted  updated  unchanged  superseded  rejected  seconds   rows/s  status
        ─────────────  ───────  ────────  ───────  ─────────  ──────────  ────────  ───────  ───────  ──────────
        orders-1.csv   500,000   400,000   90,000      9,998           2         0      3.4  147,059  loaded
        orders-2.csv         –         –        –          –           –         –        –        –  skipped
        orders-3.csv         –         –        –          –           –         –        –        –  failed
        orders-4.csv         –         –        –          –           –         –        –        –  not loaded
        ─────────────  ───────  ────────  ───────  ─────────  ──────────  ────────  ───────  ───────  ──────────
        1 file loaded  500,000   400,000   90,000      9,998           2         0      8.4   59,524

      Errors
        /data/exports/orders-3.csv line 105, column "total": "12,50" is not a number (numeric). [ETL_ROW_INVALID]
          Set decimalSeparator to "," or load the column as text.

      Failed: 500,000 rows read in 8.4 s, 119,048 rows/s, exit code 1
      "
    `);
  });

  test('of partitioned shows what cannot be attributed as –, and exact totals', () => {
    const files = [0, 1].map((ordinal) =>
      fileReport(ordinal, { ...noCounts, rowsRead: 500_000, rejected: 0, stageMs: 900 }),
    );
    const text = summary(report({ loads: [loadReport({ strategy: 'partitioned', files })] }));
    expect(`\n${text}`).toMatchInlineSnapshot(`
      "
      app.orders  key id, partitioned, 3 workers
        file                 read  inserted  updated  unchanged  superseded  rejected  seconds   rows/s  status
        ──────────────  ─────────  ────────  ───────  ─────────  ──────────  ────────  ───────  ───────  ──────
        orders-1.csv      500,000         –        –          –           –         0      0.9  555,556  loaded
        orders-2.csv      500,000         –        –          –           –         0      0.9  555,556  loaded
        ──────────────  ─────────  ────────  ───────  ─────────  ──────────  ────────  ───────  ───────  ──────
        2 files loaded  1,000,000   800,000  180,000     19,996           4         0      8.4  119,048
        – is not known per file with the strategy partitioned; the totals are exact.

      Loaded: 1,000,000 rows read in 8.4 s, 119,048 rows/s, exit code 0
      "
    `);
  });

  test('of several loads has a table each', () => {
    const text = summary(
      report({ loads: [loadReport(), loadReport({ table: 'app.items', key: [] })] }),
    );
    expect(text).toContain('app.orders  key id, hybrid, 3 workers\n');
    expect(text).toContain('app.items  no key, hybrid, 3 workers\n');
    expect(text).toContain('Loaded: 2,000,000 rows read in 8.4 s');
  });

  test('of many files names those that did not load and sums the others', () => {
    const files = Array.from({ length: 100 }, (_, ordinal) => {
      if (ordinal === 17)
        return fileReport(ordinal, { ...noCounts, status: 'failed', error: rowError });
      if (ordinal === 18) return fileReport(ordinal, { ...noCounts, status: 'not-loaded' });
      if (ordinal > 95) return fileReport(ordinal, { ...noCounts, status: 'skipped' });
      return fileReport(ordinal);
    });
    const text = summary(report({ status: 'failed', loads: [loadReport({ files })] }));
    expect(`\n${text}`).toMatchInlineSnapshot(`
      "
      app.orders  key id, hybrid, 3 workers
        file                   read    inserted    updated  unchanged  superseded  rejected  seconds   rows/s  status
        ───────────────  ──────────  ──────────  ─────────  ─────────  ──────────  ────────  ───────  ───────  ──────────
        orders-18.csv             –           –          –          –           –         –        –        –  failed
        orders-19.csv             –           –          –          –           –         –        –        –  not loaded
        4 files                   –           –          –          –           –         –        –        –  skipped
        94 files         47,000,000  37,600,000  8,460,000    939,812         188         0        –        –  loaded
        ───────────────  ──────────  ──────────  ─────────  ─────────  ──────────  ────────  ───────  ───────  ──────────
        94 files loaded   1,000,000     800,000    180,000     19,996           4         0      8.4  119,048

      Errors
        /data/exports/orders-3.csv line 105, column "total": "12,50" is not a number (numeric). [ETL_ROW_INVALID]
          Set decimalSeparator to "," or load the column as text.

      Failed: 1,000,000 rows read in 8.4 s, 119,048 rows/s, exit code 1
      "
    `);
  });

  test('of 40 files names each, of more than 40 troubled ones no more than 40', () => {
    const named = (count: number, status: 'loaded' | 'not-loaded'): number => {
      const files = Array.from({ length: count }, (_, ordinal) => fileReport(ordinal, { status }));
      const text = summary(report({ loads: [loadReport({ files })] }));
      return text.split('\n').filter((line) => line.includes('orders-')).length;
    };
    expect(named(40, 'loaded')).toBe(40);
    expect(named(41, 'loaded')).toBe(0);
    expect(named(500, 'not-loaded')).toBe(40);
  });

  test('of loads that an earlier run did has no table of nothing', () => {
    const skipped = { ...noCounts, status: 'skipped', attempts: 0 } as const;
    const files = [fileReport(0, skipped), fileReport(1, skipped)];
    const before = loadReport({ files, totals: sumKnown([]) as Counts });
    expect(summary(report({ loads: [before] }))).toBe(
      'app.orders\n  2 files skipped, loaded by an earlier run. --force loads again.\n\n' +
        'Nothing to load: an earlier run loaded all of it, exit code 0\n',
    );
    const both = summary(report({ loads: [before, loadReport()] }));
    expect(both).toContain('2 files skipped');
    expect(both).toContain('\nLoaded: ');
    expect(summary(report({ status: 'interrupted', loads: [before] }))).toContain('Interrupted: ');
  });

  test('fits 80 columns: zeros go first, then the speed', () => {
    const text = summary(report(), 80);
    for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    expect(text).toContain('(too narrow to show seconds, rows/s)');
    expect(text).not.toContain('rejected');
  });

  test('lists the problems of an error, and no more than 20 errors', () => {
    const listed = summary(
      report({
        status: 'failed',
        loads: [],
        error: {
          code: 'ETL_JOB_INVALID',
          sentence: 'The job file has 2 problems:',
          remedy: 'Correct them.',
          facts: { file: 'prod.json', problems: ['loads[0].table: is missing', 'x: \u001b[2J'] },
        },
      }),
    );
    expect(listed).toContain(
      '  prod.json: The job file has 2 problems: [ETL_JOB_INVALID]\n' +
        '    - loads[0].table: is missing\n    - x: \\x1b[2J\n    Correct them.\n',
    );
    const files = Array.from({ length: 30 }, (_, ordinal) =>
      fileReport(ordinal, {
        ...noCounts,
        status: 'failed',
        error: { ...rowError, facts: { line: 1 } },
      }),
    );
    const text = summary(report({ status: 'failed', loads: [loadReport({ files })] }));
    expect(text.match(/\[ETL_ROW_INVALID\]/g)).toHaveLength(20);
    expect(text).toContain('/data/exports/orders-1.csv line 1: "12,50"');
    expect(text).toContain('    and 10 more\n');
  });

  test('leaves out of the names the folder that they share, and nothing else', () => {
    const names = (...paths: readonly string[]): string =>
      summary(
        report({ loads: [loadReport({ files: paths.map((path) => fileReport(0, { path })) })] }),
      );
    expect(names('/data/a/x.csv', '/data/b/y.csv')).toMatch(/^ {2}a\/x\.csv .*\n {2}b\/y\.csv /m);
    expect(names('/x.csv', 'y.csv')).toMatch(/^ {2}\/x\.csv .*\n {2}y\.csv /m);
    expect(names('data/ab/x.csv', 'data/a/y.csv')).toMatch(/^ {2}ab\/x\.csv .*\n {2}a\/y\.csv /m);
    expect(names('only.csv')).toMatch(/^ {2}only\.csv /m);
  });

  test('shows control characters in names', () => {
    const text = summary(
      report({
        loads: [loadReport({ table: 'a\u0007', files: [fileReport(0, { path: '\u001b[2J' })] })],
      }),
    );
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  test('colours change nothing but colours', () => {
    const colored = printSummary(troubled, { color: true, width: 120 });
    expect(colored).toContain('\u001b[31mfailed\u001b[39m');
    expect(colored.replaceAll(/\u001b\[\d+m/gu, '')).toBe(summary(troubled));
  });
});

describe('the exit code', () => {
  test.each([
    [report(), 0],
    [report({ status: 'rejected-rows' }), 3],
    [report({ status: 'interrupted' }), 130],
    [report({ status: 'failed' }), 1],
    [troubled, 1],
    [report({ status: 'failed', error: { ...rowError, code: 'ETL_CONNECTION' } }), 2],
  ])('is of the table', (value, code) => {
    expect(exitCodeOfReport(value)).toBe(code);
    expect(summary(value)).toMatch(new RegExp(`exit code ${code}\n$`));
  });
});
