import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import type { LoadPlan } from '../../../src/plan/plan-types.ts';
import { printPlan } from '../../../src/report/plan-text.ts';
import { displayWidth } from '../../../src/report/text-width.ts';
import { filePlan, loadPlan, plan } from './fixtures.ts';

const full = (loads?: readonly LoadPlan[], width = 110): string =>
  printPlan(plan(loads), { color: false, width, verbose: true });
const brief = (loads?: readonly LoadPlan[]): string =>
  printPlan(plan(loads), { color: false, width: 110, verbose: false });

const created = loadPlan({
  table: {
    ...loadPlan().table,
    oid: null,
    create: 'create table app.orders (\n  id bigint primary key,\n  total numeric(10,2)\n);\n',
    empty: true,
    estimatedRows: 0,
  },
});

describe('the plan in full', () => {
  test('shows all that was found and decided', () => {
    expect(`\n${full()}`).toMatchInlineSnapshot(`
      "
      Plan 4f1c9a6b2d3e8f70
        PostgreSQL 15.18, database shop at db.internal:5432

      app.orders
        Table      app.orders, exists, about 1,200,000 rows
        Key        id
        Same key   update: the last row wins
        Input      3 files to load, 85.7 MB, about 1,500,000 rows
        Strategy   hybrid, 3 workers: two of three pairs of files share keys, and they form a short chain.

        Files, in order of precedence
          #  file              format          size      rows  lowest key  highest key  note
          ─  ────────────────  ─────────  ─────────  ────────  ──────────  ───────────  ───────
          1  orders-1.csv      csv          38.1 MB  ~500,000           1       500000
          2  orders-2.csv      csv          38.1 MB  ~500,000      400001       900000
          3  orders-3.parquet  parquet       9.4 MB   500,000      800001      1300000
          4  orders-4.csv.gz   csv, gzip  812 bytes       ~12           –            –  skipped
          Skipped: 1 file that run r-3f2a loaded (2025-03-01 02:14).

        Overlap
          60,000 keys sampled of 1,500,000: an overlap of less than 0.4 % of a file may have been missed (95 %
          confidence).
          1.15 rows per key over all files; shares are estimates.
          later file        shares keys with  sampled keys shared  share of its keys
          ────────────────  ────────────────  ───────────────────  ─────────────────
          orders-2.csv      orders-1.csv                    4,012               20 %
          orders-3.parquet  orders-2.csv                    3,988               20 %

        Conflict graph
          3 predicted conflicts among 3 units of work. Before each merge, all other pairs are proved to share no
          key.
          orders-2.csv merges after orders-1.csv (20 %)
          orders-3.parquet merges after orders-2.csv (20 %), orders-1.csv (< 0.1 %)

        Estimated cost
             strategy       estimate  why
             ─────────────  ────────  ──────────────────────────────────────────────────────────────────────────────
             full-parallel     9.8 s  every second merge would wait
          →  hybrid            6.2 s  a chain of three merges, staging in parallel
             sequential       12.4 s  three merges, one after another
             partitioned           –  the files bring different columns, so a row is made of more than one file and
                                      no single winner per key exists

        Notices
          ! orders-3.parquet, column "shipped": nanoseconds are rounded to microseconds.
      "
    `);
  });

  test('shows the DDL of a table to be created, couplings, and several loads', () => {
    const coupled = loadPlan({
      strategy: 'sequential',
      conflicts: [],
      couplings: [
        {
          kind: 'unique index',
          name: 'users_email_key',
          sentence: 'unique index users_email_key could make the order matter',
        },
      ],
    });
    const text = full([created, coupled]);
    expect(text).toContain('app.orders (load 1 of 2)\n  Table      app.orders, to be created\n');
    expect(text).toContain(
      '  Creates\n    create table app.orders (\n      id bigint primary key,',
    );
    expect(text).toContain('app.orders (load 2 of 2)\n');
    expect(text).toContain(
      '  What ties rows of different keys together\n    - unique index users_email_key could',
    );
    expect(text).toContain('Each unit merges after the one before it; staging runs ahead.');
  });

  test('keeps to a terminal of 80 columns, key ranges included', () => {
    const text = full(undefined, 80);
    for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    expect(text).toContain('highest key');
  });

  test('stays short where there is much', () => {
    const files = Array.from({ length: 10_000 }, (_, index) =>
      filePlan(index, { name: `part-${index}.csv` }),
    );
    const units = files.map((file) => ({
      ordinal: file.ordinal,
      files: [file.ordinal],
      part: null,
      estimatedRows: 10,
      bytes: 100,
      range: null,
    }));
    const conflicts = units.slice(1).flatMap(({ ordinal }) =>
      Array.from({ length: Math.min(5, ordinal) }, (_, index) => ({
        before: ordinal - 1 - index,
        after: ordinal,
        share: 0.5 - index / 10,
      })),
    );
    const text = full([loadPlan({ files, units, conflicts })]);
    expect(text).toContain(
      `    and ${(10_000 - LIMITS.planFilesShownMax).toLocaleString('en')} more`,
    );
    expect(text).toContain(
      `    and ${(9_999 - LIMITS.planEdgesShownMax).toLocaleString('en')} more`,
    );
    expect(text).toContain(
      'part-5.csv merges after part-4.csv (50 %), part-3.csv (40 %), part-2.csv (30 %) and 2 more\n',
    );
    expect(text.split('\n').length).toBeLessThan(130);
  });

  test('says into how many parts a large file is split', () => {
    const units = [0, 1, 2].map((index) => ({
      ...{ ordinal: index, files: [1], estimatedRows: 1, bytes: 1, range: null },
      part: { index, of: 3, from: index, to: index + 1 },
    }));
    const text = full([loadPlan({ units, conflicts: [] })]);
    expect(text).toContain('Split: orders-2.csv into 3 parts.\n');
    expect(full([loadPlan()])).not.toContain('Split:');
  });

  test('names a unit of several files by its first and last', () => {
    const load = loadPlan();
    const units = [
      { ordinal: 0, files: [0, 1], part: null, estimatedRows: 1, bytes: 1, range: null },
      { ordinal: 1, files: [2], part: null, estimatedRows: 1, bytes: 1, range: null },
    ];
    const text = full([{ ...load, units, conflicts: [{ before: 0, after: 1, share: 0.1 }] }]);
    expect(text).toContain(
      'orders-3.parquet merges after [2 files: orders-1.csv … orders-2.csv] (10 %)\n',
    );
  });

  test.each([
    ['full-parallel', 'Before each merge, all other pairs are proved to share no key.'],
    ['partitioned', 'Each worker merges the keys that it owns'],
  ] as const)('says how %s keeps the order', (strategy, sentence) => {
    expect(full([loadPlan({ strategy })], 200)).toContain(sentence);
  });

  test('says that nothing is proved where deterministic is off', () => {
    const base = plan();
    const text = printPlan(
      { ...base, settings: { ...base.settings, deterministic: false } },
      { color: false, width: 110, verbose: true },
    );
    expect(text).toContain('Other pairs are not proved (deterministic is off).');
  });

  test.each([
    ['ignore', null, 'ignore: the row of the table stays, else the first row wins'],
    ['newest', 'changed_at', 'newest: the row with the largest changed_at wins'],
    ['append', null, 'append: every row is added'],
  ] as const)('says what %s means', (onConflict, versionColumn, sentence) => {
    expect(full([loadPlan({ onConflict, versionColumn })])).toContain(sentence);
  });

  test('does not guess the rows of a table that was never analyzed', () => {
    const table = { ...loadPlan().table, estimatedRows: 0, empty: false };
    expect(full([loadPlan({ table })])).toContain('app.orders, exists, holds rows\n');
  });

  test('shows a load without a key, a sample or anything left to load', () => {
    const skip = { runId: 'r-1', loadedAt: '2025-03-01T02:14:07.000Z', rows: 5 };
    const text = full([
      loadPlan({
        key: [],
        onConflict: 'append',
        files: [0, 1].map((ordinal) => filePlan(ordinal, { skip, rowsExact: true })),
        units: [],
        conflicts: [],
        costs: [],
        notices: [],
        overlap: { ...loadPlan().overlap, pairs: [], sampled: false, sentence: 'No keys.' },
      }),
    ]);
    expect(text).toContain('  Key        none\n');
    expect(text).toContain('  Input      0 files to load, 0 bytes, 0 rows\n');
    expect(text).toContain('    Skipped: 2 files that run r-1 loaded (2025-03-01 02:14).\n');
    expect(text).toContain('  Overlap\n    No keys.\n');
    expect(text).not.toMatch(/Conflict graph|Estimated cost|Notices/);
  });
});

describe('the plan in short', () => {
  test('is one line, and the notices, where nothing is left to load', () => {
    const skip = { runId: 'r-1', loadedAt: '2025-03-01T02:14:07.000Z', rows: 5 };
    const text = brief([
      loadPlan({ files: [filePlan(0, { skip })], units: [], notices: ['It was emptied.'] }),
    ]);
    expect(text).toContain(
      '\napp.orders  nothing to load, 1 file loaded already\n  ! It was emptied.\n',
    );
  });

  test('is a few lines per load', () => {
    expect(`\n${brief()}`).toMatchInlineSnapshot(`
      "
      Plan 4f1c9a6b2d3e8f70
        PostgreSQL 15.18, database shop at db.internal:5432

      app.orders  3 files to load, 85.7 MB, about 1,500,000 rows, 1 already loaded, key id
        hybrid, 3 workers: two of three pairs of files share keys, and they form a short chain.
        60,000 keys sampled of 1,500,000: an overlap of less than 0.4 % of a file may have been missed (95 %
        confidence).
        ! orders-3.parquet, column "shipped": nanoseconds are rounded to microseconds.
      "
    `);
  });

  test('shows the DDL', () => {
    expect(brief([created])).toContain('\n    create table app.orders (\n');
  });
});

describe('hostile names', () => {
  const evil = 'a\u001b[2J\u202e.csv';
  const load = loadPlan({
    files: [filePlan(0, { name: evil, keyMin: '\u0007', keyMax: 'x'.repeat(200) }), filePlan(1)],
    notices: [`${evil} is odd`],
    reason: evil,
    table: { ...loadPlan().table, sqlName: `"${evil}"` },
  });

  test.each([true, false])('reach the terminal as text (verbose %s)', (verbose) => {
    const text = printPlan(plan([load]), { color: false, width: 200, verbose });
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(text).toContain('a\\x1b[2J\\u202e.csv');
  });
});

test('colours change nothing but colours', () => {
  const colored = printPlan(plan(), { color: true, width: 110, verbose: true });
  expect(colored).toContain('\u001b[32mhybrid\u001b[39m');
  expect(colored.replaceAll(/\u001b\[\d+m/gu, '')).toBe(full());
});
