import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { History } from '../../src/check/history.ts';
import type { Pruned } from '../../src/check/prune.ts';
import { etl, expectTold } from '../support/etl.ts';
import { statusesOf, useScene } from '../support/scene.ts';

/** What the ledger may forget, and what it must not. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

/** Each test has the ledger for itself. */
beforeEach(() => scene.db.query('drop schema if exists etl cascade'));

async function prune(...words: string[]): Promise<Pruned> {
  const argv = ['history', '--prune', '400d', '--json', ...words, '--database-url', scene.db.url];
  const end = await etl(argv, { cwd: scene.folder });
  expect([end.code, end.stderr]).toEqual([0, '']);
  return JSON.parse(end.stdout) as Pruned;
}

/** Runs, and has all that was not moved to the past before moved there. Resolves to the run's id. */
async function runDaysAgo(days: number, words: readonly string[]): Promise<string> {
  const { report, ...end } = await scene.run(words);
  expect([end.code, end.error], end.stderr).toEqual([0, null]);
  const [id, ago] = [report?.runId ?? '', `interval '${days} days'`];
  await scene.db.query(`
    update etl.ledger set loaded_at = loaded_at - ${ago} where run_id = '${id}';
    update etl.run set started_at = started_at - ${ago}, finished_at = finished_at - ${ago}
     where run_id = '${id}'`);
  return id;
}

async function remove(...names: string[]): Promise<void> {
  for (const name of names) await rm(join(scene.folder, name));
}

async function rowsOf(table: string): Promise<number> {
  const [row] = await scene.db.query(`select count(*)::int as n from etl.${table}`);
  return Number(row?.['n']);
}

const NOTHING = { replaced: 0, gone: 0, tableGone: 0 };

test('what later loads replaced, and files that are gone, are forgotten; what a run would load again stays', async () => {
  await scene.write({ 'a.csv': 'id,name\n1,a\n', 'b.csv': 'id,name\n2,b\n' });
  const first = await runDaysAgo(500, ['*.csv']);
  await scene.write({ 'a.csv': 'id,name\n1,changed\n', 'c.csv': 'id,name\n3,c\n' });
  const second = await runDaysAgo(450, ['a.csv']);
  const third = await runDaysAgo(420, ['c.csv']);
  await scene.write({ 'd.csv': 'id,name\n4,d\n' });
  const last = await runDaysAgo(410, ['d.csv']);
  await remove('b.csv', 'c.csv', 'd.csv');

  const told = {
    forgotten: { replaced: 1, gone: 1, tableGone: 0 },
    // c.csv is the last one that is gone, and d.csv is of the last run.
    kept: { there: 1, unseen: 0, last: 1 },
    runs: 1,
    unseenTables: [],
  };
  expect(await prune('--dry-run')).toMatchObject({ dryRun: true, ...told });
  expect(await rowsOf('ledger')).toBe(5);
  expect(await prune()).toMatchObject({ dryRun: false, ledgerSchema: 'etl', ...told });
  expect(await scene.db.query('select run_id, path from etl.ledger order by id')).toEqual([
    { run_id: second, path: join(scene.folder, 'a.csv') },
    { run_id: third, path: join(scene.folder, 'c.csv') },
    { run_id: last, path: join(scene.folder, 'd.csv') },
  ]);
  const runs = await scene.db.query('select run_id from etl.run order by started_at');
  expect(runs.map((run) => run['run_id'])).toEqual([second, third, last]);
  expect(runs).not.toContainEqual({ run_id: first });
  expect([await rowsOf('load'), await rowsOf('file')]).toEqual([3, 0]);
  expect(await prune()).toMatchObject({ forgotten: NOTHING, runs: 0 });
  expect(statusesOf((await scene.run(['*.csv'])).report)).toEqual(['skipped']);
});

test('what is younger stays, and a run that is half forgotten tells of all its files', async () => {
  await scene.write({ 'a.csv': 'id,name\n1,a\n', 'b.csv': 'id,name\n2,b\n3,b\n' });
  const first = await runDaysAgo(500, ['*.csv']);
  await scene.write({ 'b.csv': 'id,name\n2,c\n' });
  await runDaysAgo(399, ['b.csv']);
  await scene.write({ 'b.csv': 'id,name\n2,d\n' });
  await runDaysAgo(0, ['b.csv']);
  expect(await prune()).toMatchObject({ forgotten: { replaced: 1, gone: 0 }, runs: 0 });
  const end = await etl(['history', first, '--json', '--database-url', scene.db.url], {
    cwd: scene.folder,
  });
  const { runs, files } = JSON.parse(end.stdout) as History;
  expect(runs[0]).toMatchObject({ files: { loaded: 2 }, rows: { rowsRead: 3, inserted: 3 } });
  expect(files).toHaveLength(1);
});

test('files are not taken for gone where not one is seen, unless somebody says so', async () => {
  const { table } = scene;
  const other = `${table}_other`;
  await scene.db.query(`create table ${other} (id int primary key, name text)`);
  await scene.write({ 'a.csv': 'id,name\n1,a\n', 'b.csv': 'id,name\n2,b\n', 'c.csv': 'id\n3\n' });
  for (const name of ['a.csv', 'b.csv', 'c.csv']) await runDaysAgo(500, [name]);
  await runDaysAgo(500, ['a.csv', '--table', other]);
  await remove('a.csv', 'b.csv', 'c.csv');
  const unseen = { unseen: 2, there: 0, last: 0 };
  expect(await prune()).toMatchObject({
    ...{ forgotten: NOTHING, runs: 0, kept: unseen },
    unseenTables: [`public.${table}`],
  });
  expect(await prune('--table', other)).toMatchObject({ kept: { ...unseen, unseen: 0 } });
  const words = ['--table', `public.${table}`, '--also-unseen'];
  const told = {
    forgotten: { ...NOTHING, gone: 1 },
    runs: 0,
    kept: { ...unseen, unseen: 0, last: 1 },
  };
  expect(await prune(...words)).toMatchObject(told);
  expect(await prune('--also-unseen')).toMatchObject({ forgotten: NOTHING, runs: 1 });
});

test('with append, entries of each way to load a file count for themselves', async () => {
  const append = ['a.csv', '--on-conflict', 'append'];
  await scene.db.query(`alter table ${scene.table} drop constraint ${scene.table}_pkey`);
  await scene.write({ 'a.csv': 'id,name\n1,a\n' });
  await runDaysAgo(500, append);
  await runDaysAgo(450, [...append, '--csv-null', 'x']);
  await runDaysAgo(420, [...append, '--csv-null', 'x', '--force']);
  expect(await prune()).toMatchObject({ forgotten: { replaced: 1, gone: 0 }, kept: { there: 1 } });
  expect(statusesOf((await scene.run(append)).report)).toEqual(['skipped']);
});

test('of a table that is gone all is forgotten, of one that was made anew what was loaded again', async () => {
  const { db, table } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,a\n', 'b.csv': 'id,name\n2,b\n' });
  for (const name of ['a.csv', 'b.csv']) await runDaysAgo(500, [name]);
  await runDaysAgo(499, ['b.csv', '--force']);
  await db.query(`drop table ${table}; create table ${table} (id int primary key, name text)`);
  await runDaysAgo(0, ['a.csv']);
  // The last run of the old table stays as that of any other does.
  const once = { ...NOTHING, replaced: 2 };
  expect(await prune('--dry-run')).toMatchObject({ forgotten: once });
  await db.query(`drop table ${table}`);
  expect(await prune()).toMatchObject({ forgotten: { ...once, replaced: 1, tableGone: 1 } });
});

test('what tells whether a prepared transaction is to be committed stays', async () => {
  const { db, table } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,a\n' });
  const run = await runDaysAgo(500, ['a.csv']);
  await runDaysAgo(0, ['a.csv', '--force']);
  const [row] = await db.query(`select '${table}'::regclass::oid::int8::text as oid`);
  const name = `'etl:${String(row?.['oid'])}:${run}:1:0123456789abcdef:etl'`;
  await db.query(`begin; create table ${table}_left (); prepare transaction ${name}`);
  expect(await prune()).toMatchObject({ forgotten: NOTHING });
  await db.query(`rollback prepared ${name}`);
  expect(await prune()).toMatchObject({ forgotten: { replaced: 1 }, runs: 1 });
});

test('rejected rows of a file that is forgotten go with it; those of others are not loaded before its rows', async () => {
  const { db, folder } = scene;
  const words = ['--on-conflict', 'ignore', '--on-error', 'quarantine'];
  const run = async (...more: string[]) => {
    const end = await scene.run([...more, ...words]);
    const id = end.report?.runId ?? '';
    await db.query(
      `update etl.ledger set loaded_at = loaded_at - interval '500 days' where run_id = '${id}'`,
    );
    return end;
  };
  const bad = 'id,name\n1,a\nx,b\n';
  await scene.write({ '1.csv': bad, '2.csv': bad, '3.csv': bad, '4.csv': bad });
  for (const name of ['1.csv', '2.csv', '3.csv', '4.csv']) await run(name);
  await db.query(
    `insert into etl.corrected select run_id, table_oid, path, 2, '{}' from etl.ledger`,
  );
  await remove('1.csv', '2.csv');
  expect(await prune()).toMatchObject({ forgotten: { gone: 1 }, kept: { last: 1, there: 1 } });
  for (const table of ['reject', 'corrected']) {
    const left = await db.query(`select path from etl.${table} order by path`);
    expect(left.map((row) => row['path'])).toEqual(
      ['2.csv', '3.csv', '4.csv'].map((name) => join(folder, name)),
    );
  }
  const retried = await scene.run(['3.csv', '4.csv', ...words, '--retry-rejects']);
  expectTold(retried, 'ETL_USAGE', 2, {});
  expect(retried.error?.sentence).toContain('is not among the files of this job');
});

test('a link stays though what it leads to is gone, and so does what cannot be looked at', async () => {
  const { db, folder } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,a\n', 'b.csv': 'id,name\n2,b\n' });
  await symlink(join(folder, 'b.csv'), join(folder, 'link.csv'));
  for (const name of ['a.csv', 'link.csv', 'b.csv']) await runDaysAgo(500, [name]);
  await runDaysAgo(0, ['a.csv', '--force']);
  await remove('b.csv');
  const long = `/${'x'.repeat(300)}.csv`;
  await db.query(`update etl.ledger set path = '${long}' where path like '%/b.csv'`);
  expect(await prune()).toMatchObject({
    forgotten: { replaced: 1, gone: 0 },
    kept: { there: 2, unseen: 0, last: 0 },
  });
});

test('it is told to people, and a database without a ledger has nothing to forget', async () => {
  const words = ['history', '--prune', '1d', '--database-url', scene.db.url];
  const none = await etl(words, { cwd: scene.folder });
  expect([none.code, none.stderr]).toEqual([0, '']);
  expect(none.stdout).toMatch(
    /^Forgotten of the ledger in schema etl, older than \d{4}-\d\d-\d\d:\n/,
  );
  await scene.write({ 'a.csv': 'id,name\n1,a\n' });
  for (const days of [5, 4]) await runDaysAgo(days, ['a.csv', '--force']);
  const end = await etl([...words, '--dry-run'], { cwd: scene.folder });
  expect(end.stdout).toMatch(/^ {9}1 {2}entries of files that were loaded again since$/m);
});
