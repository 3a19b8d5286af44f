import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/run/events.ts';
import { tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import { COUNT_STAGINGS, stagingsMade } from '../support/count-stagings.ts';
import { armSql, closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import type { EtlEnd } from '../support/etl.ts';
import { planJob, runPlan } from '../support/load.ts';
import { csvFiles } from '../support/overlapping-files.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';

/**
 * Files whose keys are new, sorted, and above those of the table: copied into it without staging
 * where the sample says so, and as if row by row whatever the rows are.
 */
const columns = (table: string): string =>
  `create table ${table} (id int primary key, name fault_staged, n int check (n >= 0),
                          version int);
   insert into ${table} select id, 'old', 0, 5 from generate_series(1, 20) id where id <> 7;`;
const scene = useScene(
  (table) => `${columns(table)} ${columns(`${table}_oracle`)}`,
  `${FAULTS}${COUNT_STAGINGS}`,
);

type Policy = 'update' | 'ignore' | 'newest';
type Cells = Readonly<Record<number, string>>;

const COLUMNS = ['id', 'name', 'n', 'version'];

/** `count` files of `rows` rows each, one above the other, from 100 on. */
function risingFiles(count: number, rows: number): OracleFile[] {
  return Array.from({ length: count }, (_, file) => ({
    columns: COLUMNS,
    rows: Array.from({ length: rows }, (_unused, row) => {
      const id = String(100 + file * rows * 2 + row * 2);
      return [id, row % 5 === 4 ? null : `f${file}r${row}`, String(row), String(row % 9)];
    }),
  }));
}

/** Other cells, by column, in one row of one file. */
function withCells(
  files: readonly OracleFile[],
  file: number,
  row: number,
  cells: Cells,
): OracleFile[] {
  return files.map((each, place) => ({
    ...each,
    rows: each.rows.map((old, at) =>
      place === file && at === row ? old.map((cell, column) => cells[column] ?? cell) : old,
    ),
  }));
}

interface Loaded {
  readonly end: EtlEnd;
  /** Staging tables made. */
  readonly stagings: number;
  readonly notices: readonly string[];
}

async function run(words: readonly string[], threads = false): Promise<Loaded> {
  const notices: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.kind === 'notice' && event.sentence.includes('directly')) {
      notices.push(event.sentence);
    }
  };
  const { made, end } = await stagingsMade(scene.db, () =>
    scene.run(['*.csv', ...words], { threads, onEvent }),
  );
  return { end, stagings: made, notices };
}

/** The table is what the files, upserted row by row, leave of what it held. */
async function expectOracle(files: readonly OracleFile[], onConflict: Policy = 'update') {
  const table = `${scene.table}_oracle`;
  await loadInBatches(
    scene.db,
    { table, columns: COLUMNS, key: ['id'], onConflict, versionColumn: 'version' },
    files,
  );
  const [oracle] = await scene.db.query(tableDigest(table));
  expect(await scene.db.query(tableDigest(scene.table))).toEqual([oracle]);
}

function words(concurrency: number, onConflict: Policy = 'update'): string[] {
  const version = onConflict === 'newest' ? ['--version-column', 'version'] : [];
  return ['--concurrency', String(concurrency), '--on-conflict', onConflict, ...version];
}

test.for([
  [1, 'update', false],
  [2, 'newest', false],
  [4, 'ignore', true],
] as const)(
  'sorted files above the table are not staged (concurrency %d, %s)',
  async ([concurrency, policy, threads]) => {
    const files = risingFiles(5, 40);
    await scene.write(csvFiles(files));
    const { end, stagings, notices } = await run(words(concurrency, policy), threads);
    expect([end.code, end.error, stagings, notices]).toEqual([0, null, 0, []]);
    expect(end.report?.loads[0]?.totals).toMatchObject({
      ...{ rowsRead: 200, inserted: 200, updated: 0, unchanged: 0, superseded: 0 },
    });
    await expectOracle(files, policy);

    const again = await run(words(concurrency, policy));
    expect(statusesOf(again.end.report)).toEqual(Array(5).fill('skipped'));
  },
);

test('the plan says which units are copied directly, and where their keys are thought to lie', async () => {
  await scene.write(csvFiles(risingFiles(3, 10)));
  const plan = await planJob(
    scene.db.url,
    { settings: { concurrency: 4 }, loads: [{ files: ['*.csv'], table: scene.table }] },
    { cwd: scene.folder },
  );
  expect(plan.loads[0]?.units.map((unit) => unit.direct)).toEqual([
    { column: 'id', from: null, before: '120' },
    { column: 'id', from: '120', before: '140' },
    { column: 'id', from: '140', before: null },
  ]);
  expect(plan.loads[0]?.notices.join()).toContain('3 of 3 units of work');
});

test.for([
  ['unsorted', (files: OracleFile[]) => files.map((file) => ({ ...file, rows: shuffled(file) }))],
  ['not above the table', (files: OracleFile[]) => withCells(files, 0, 0, { 0: '20' })],
  ['with a key twice', (files: OracleFile[]) => withCells(files, 0, 3, { 0: '102' })],
] as const)('files that are %s are staged', async ([, change]) => {
  const files = change(risingFiles(1, 40));
  await scene.write(csvFiles(files));
  const { end, stagings, notices } = await run(words(1));
  expect([end.code, stagings, notices]).toEqual([0, 1, []]);
  await expectOracle(files);
});

function shuffled({ rows }: OracleFile): OracleFile['rows'] {
  return rows.toSorted((a, b) => ((Number(a[2]) * 7) % 40) - ((Number(b[2]) * 7) % 40));
}

test.for([
  ['row level security', 'alter table TABLE enable row level security'],
  ['a statement trigger', `create trigger t after insert on TABLE execute function noted()`],
  ['a unique index besides', 'create unique index on TABLE (name, n, id)'],
  [
    'an index with NULLs as its key',
    'alter table TABLE drop constraint TABLE_pkey, alter id drop not null, add unique (id)',
  ],
] as const)('a table with %s is loaded through staging', async ([what, ddl]) => {
  await scene.db.query(
    `create or replace function noted() returns trigger language plpgsql as 'begin return null; end'`,
  );
  await scene.db.query(ddl.replaceAll('TABLE', scene.table));
  const files = risingFiles(1, 10);
  await scene.write(csvFiles(files));
  const key = what.endsWith('key') ? ['--key', 'id'] : [];
  const { end, stagings } = await run([...words(1), ...key]);
  expect([end.code, stagings]).toEqual([0, 1]);
  await expectOracle(files);
});

test('a duplicate that the sample has not seen: the file is staged, and the later row wins', async () => {
  const files = withCells(risingFiles(2, 45_000), 0, 30_001, { 0: '60100' });
  await scene.write(csvFiles(files));
  const { end, stagings, notices } = await run(words(2));
  expect([end.code, end.error, end.report?.loads[0]?.totals.superseded]).toEqual([0, null, 1]);
  // The other file rolls back where it was quicker: the first could wait for its keys.
  expect(stagings).toBeGreaterThan(0);
  expect(notices.length).toBe(1);
  expect(notices[0]).toContain('f0.csv could not be copied into');
  const kept = await scene.db.query(`select name from ${scene.table} where id = 60100`);
  expect(kept).toEqual([{ name: 'f0r30001' }]);
  const [count] = await scene.db.query(`select count(*)::int as n from ${scene.table}`);
  expect(count).toEqual({ n: 19 + 90_000 - 1 });
});

test('a later file that has copied its rows gives way to an earlier one that falls back', async () => {
  const row = (name: string) => ['901', name, '1', '1'];
  const rising = risingFiles(1, 300).flatMap((file) => file.rows);
  const first = { columns: COLUMNS, rows: [...rising, row('first'), row('stage gate')] };
  const second = { columns: COLUMNS, rows: [row('second')] };
  await scene.write(csvFiles([first, second]));
  const job = {
    settings: { concurrency: 2 },
    loads: [{ files: ['*.csv'], table: scene.table, strategy: 'full-parallel' as const }],
  };
  const plan = structuredClone(await planJob(scene.db.url, job, { cwd: scene.folder }));
  // As if the sample had not seen the last rows of the first file.
  const [load] = plan.loads;
  Object.assign(load?.units[0] ?? {}, { direct: { column: 'id', from: null, before: '900' } });
  Object.assign(load?.units[1] ?? {}, { direct: { column: 'id', from: '900', before: null } });
  const gate = await scene.db.client();
  await gate.query(closeGateSql('stage'));
  const running = runPlan(scene.db.url, plan, {});
  await untilWaiting(scene.db, 'stage');
  await untilIdleInTransaction();
  await gate.end();
  const report = await running;
  expect([report.error, filesOf(report).map((file) => file.attempts)]).toEqual([null, [1, 2]]);
  await expectOracle([first, second]);
});

test('a key on the bound of two windows is of the later one only', async () => {
  const files = risingFiles(2, 20);
  await scene.write(csvFiles(files));
  const job = { settings: { concurrency: 1 }, loads: [{ files: ['*.csv'], table: scene.table }] };
  const told = [];
  // The first file's last key is 138, and the second's first 140.
  for (const bound of ['138', '139', '140', '141']) {
    await scene.db.query(`delete from ${scene.table} where id >= 100`);
    const options = { cwd: scene.folder, force: true };
    const plan = structuredClone(await planJob(scene.db.url, job, options));
    const [load] = plan.loads;
    Object.assign(load?.units[0] ?? {}, { direct: { column: 'id', from: null, before: bound } });
    Object.assign(load?.units[1] ?? {}, { direct: { column: 'id', from: bound, before: null } });
    const staged: string[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.kind === 'notice') staged.push(event.sentence.slice(0, 6));
    };
    const report = await runPlan(scene.db.url, plan, { onEvent });
    expect(report.error).toBeNull();
    told.push([bound, ...staged]);
  }
  expect(told).toEqual([['138', 'f0.csv'], ['139'], ['140'], ['141', 'f1.csv']]);
  await expectOracle(files);
});

/** Until a session has copied its rows and waits to be admitted. */
async function untilIdleInTransaction(): Promise<void> {
  const sql = `select from pg_stat_activity
                where datname = current_database() and state = 'idle in transaction'`;
  for (let look = 0; look < 500; look++) {
    if ((await scene.db.query(sql)).length > 0) return;
    await sleep(20);
  }
  throw new Error('no session waits in a transaction');
}

test.for([1, 2])(
  'a bad row is told as it is after staging (concurrency %d)',
  async (concurrency) => {
    const rising = risingFiles(3, 20);
    const bad = [{ 2: 'many' }, { 2: '-1' }, { 0: '' }];
    const told = [];
    for (const cells of bad) {
      const files = withCells(rising, 1, 9, cells);
      await scene.db.query(`truncate ${scene.table}`);
      await scene.write(csvFiles(files));
      const direct = await run([...words(concurrency), '--force']);
      // A key that is none is seen before.
      expect(direct.notices.length).toBe('0' in cells ? 0 : 1);
      // By two workers the third file may be in before the second fails.
      const third = concurrency === 1 ? ['not-loaded'] : ['loaded', 'not-loaded'];
      const [first, second, last] = statusesOf(direct.end.report);
      expect([first, second]).toEqual(['loaded', 'failed']);
      expect(third).toContain(last);
      await scene.db.query(`truncate ${scene.table}`);
      const staged = await run([...words(concurrency), '--force', '--no-conflict-detection']);
      expect(staged.stagings).toBeGreaterThan(0);
      expect(staged.notices).toEqual([]);
      expect(direct.end.error).toEqual(staged.end.error);
      told.push(direct.end.error?.facts);
    }
    expect(told).toMatchObject([
      { file: 'f1.csv', line: 11, column: 'n', value: 'many' },
      { file: 'f1.csv', sqlState: '23514' },
      { file: 'f1.csv', line: 11 },
    ]);
  },
);

test.for([
  [1, false],
  [3, true],
] as const)(
  'a backend that dies in the middle of the copy (concurrency %d)',
  async ([concurrency, threads]) => {
    const files = withCells(risingFiles(4, 30), 1, 15, { 1: 'stage bomb' });
    await scene.write(csvFiles(files));
    await scene.db.query(armSql('stage', 0));
    const { end } = await run(words(concurrency), threads);
    expect([end.code, end.error]).toEqual([0, null]);
    expect(filesOf(end.report)[1]?.attempts).toBe(2);
    await expectOracle(files);
  },
);

test('a load that failed is resumed where it stopped', async () => {
  const files = risingFiles(4, 20);
  await scene.write(csvFiles(withCells(files, 2, 5, { 2: '-1' })));
  const [first, second, third, last] = statusesOf((await run(words(3))).end.report);
  expect([first, second, third]).toEqual(['loaded', 'loaded', 'failed']);
  // A worker that is done with the first may have copied the last, whose keys lie above, before the third failed.
  expect(['loaded', 'not-loaded']).toContain(last);
  await scene.write({ 'f2.csv': csvFiles(files)['f2.csv'] ?? '' });
  const { end, stagings } = await run(words(3));
  const resumed = last === 'loaded' ? 'skipped' : 'loaded';
  expect(statusesOf(end.report)).toEqual(['skipped', 'skipped', 'loaded', resumed]);
  // Then the third no longer lies above all keys of the table.
  expect(stagings).toBe(last === 'loaded' ? 1 : 0);
  await expectOracle(files);
});

test('what is in the table by the time of the run is upserted', async () => {
  const files = risingFiles(3, 20);
  await scene.write(csvFiles(files));
  const job = { settings: { concurrency: 3 }, loads: [{ files: ['*.csv'], table: scene.table }] };
  const plan = await planJob(scene.db.url, job, { cwd: scene.folder });
  for (const table of [scene.table, `${scene.table}_oracle`]) {
    await scene.db.query(`insert into ${table} values (142, 'meanwhile', 0, 99)`);
  }
  const report = await runPlan(scene.db.url, plan, {});
  expect(report.loads[0]?.totals).toMatchObject({ inserted: 59, updated: 1 });
  await expectOracle(files);
});
