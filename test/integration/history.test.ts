import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { History } from '../../src/check/history.ts';
import type { PastRun } from '../../src/target/history.ts';
import { etl } from '../support/etl.ts';
import { useScene } from '../support/scene.ts';

/** What the ledger can tell of runs that ended in every way. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const FILES = { 'a.csv': 'id,name\n1,a\n2,a\n', 'b.csv': 'id,name\n2,b\n3,b\n3,c\n' };

async function historyOf(...words: string[]): Promise<History> {
  const argv = ['history', ...words, '--database-url', scene.db.url, '--json'];
  const end = await etl(argv, { cwd: scene.folder });
  expect([end.code, end.stderr]).toEqual([0, '']);
  return JSON.parse(end.stdout) as History;
}

/** Runs on the table of this test, newest first. */
async function runs(...words: string[]): Promise<readonly PastRun[]> {
  return (await historyOf('--table', scene.table, ...words)).runs;
}

test('there is none before the first run', async () => {
  const end = await etl(['history', '--database-url', scene.db.url], { cwd: scene.folder });
  expect([end.code, end.stdout]).toEqual([0, 'The ledger knows of no run.\n']);
});

test('runs that loaded, skipped, and failed, newest first, and the files of one', async () => {
  const { table } = scene;
  await scene.write(FILES);
  const first = await scene.run(['*.csv', '--strategy', 'sequential']);
  await scene.run(['*.csv']);
  await scene.write({ 'c.csv': 'id,name\n9,c\n', 'd.csv': 'id,name\nx,d\n', 'e.csv': 'id,name\n' });
  await scene.run(['*.csv', '--strategy', 'sequential', '--concurrency', '1']);

  const [failed, skipped, loaded, ...others] = await runs();
  expect(others).toEqual([]);
  expect(loaded).toMatchObject({
    runId: first.report?.runId,
    status: 'loaded',
    pid: process.pid,
    tables: [`public.${table}`],
    files: { loaded: 2, skipped: 0, failed: 0, notLoaded: 0 },
    rows: { rowsRead: 5, inserted: 3, updated: 1, unchanged: 0, superseded: 1, rejected: 0 },
    error: null,
  });
  const spanned = Date.parse(loaded?.finishedAt ?? '') - Date.parse(loaded?.startedAt ?? '');
  expect(Math.abs((loaded?.durationMs ?? 0) - spanned)).toBeLessThanOrEqual(1);
  expect(skipped).toMatchObject({
    status: 'loaded',
    files: { loaded: 0, skipped: 2, failed: 0 },
    rows: { rowsRead: 0, inserted: 0 },
  });
  expect(failed).toMatchObject({ status: 'failed', files: { skipped: 2, failed: 1 } });
  expect(failed?.error).toContain('invalid input syntax');

  const { files } = await historyOf(failed?.runId ?? '');
  const last = files?.at(-1);
  expect(last).toMatchObject({ status: 'failed', error: { code: 'ETL_ROW_INVALID' }, bytes: null });
  expect(last?.path).toMatch(/d\.csv$/);
  const all = (await historyOf(loaded?.runId ?? '')).files ?? [];
  expect(all.map((file) => [file.path.slice(-5), file.status, file.strategy])).toEqual([
    ['a.csv', 'loaded', 'sequential'],
    ['b.csv', 'loaded', 'sequential'],
  ]);
  expect(all[0]).toMatchObject({ attempts: 1, bytes: FILES['a.csv'].length, error: null });
  for (const file of all) {
    for (const ms of [file.stageMs, file.waitMs, file.mergeMs])
      expect(ms).toEqual(expect.any(Number));
  }
});

test('is found by the name of a table, in so many runs as asked for', async () => {
  const { table, db } = scene;
  await db.query(`create schema "Other ${table}"; create table "Other ${table}".${table} (id int)`);
  await scene.write(FILES);
  const [first, second] = [await scene.run(['a.csv']), await scene.run(['b.csv'])];
  const target = `"Other ${table}".${table}`;
  const append = ['--on-conflict', 'append', '--columns', 'name='];
  const third = await scene.run(['a.csv', '--table', target, ...append]);
  expect([first.code, second.code, third.code]).toEqual([0, 0, 0]);
  const ids = [third, second, first].map((end) => end.report?.runId);
  const found = async (...words: string[]): Promise<string[]> =>
    (await historyOf(...words)).runs.map((run) => run.runId);
  expect(await found('--table', table)).toEqual(ids);
  expect(await found('--table', table, '--limit', '2')).toEqual(ids.slice(0, 2));
  expect(await found('--table', `public.${table}`)).toEqual(ids.slice(1));
  expect(await found('--table', target)).toEqual(ids.slice(0, 1));
  expect(await found('--table', `x${table}`)).toEqual([]);
  const words = ['history', '--table', `x${table}`, '--database-url', db.url];
  const none = await etl(words, { cwd: scene.folder });
  expect(none.stdout).toBe(`The ledger knows of no run that loaded into x${table}, or tried to.\n`);
});

test('is told to people, and what is in a name is not obeyed', async () => {
  await scene.write({ 'a\u001b[31m.csv': FILES['a.csv'] });
  const { report } = await scene.run(['*.csv']);
  const words = ['history', '--database-url', scene.db.url];
  const list = await etl([...words, '--table', scene.table], { cwd: scene.folder });
  expect(list.stdout).toContain(report?.runId);
  const one = await etl([...words, report?.runId ?? ''], { cwd: scene.folder });
  expect(one.stdout).toContain('1 loaded, 0 skipped, 0 failed, 0 not loaded');
  expect(one.stdout).toMatch(/x1b\[31m\.csv/);
  expect(one.stdout).not.toContain('\u001b');
  const none = await etl([...words, 'nonsense'], { cwd: scene.folder });
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no run "nonsense"')]);
});

test('a run that was killed is running while it lives, and cut off afterwards', async () => {
  const { table, db } = scene;
  await scene.write(FILES);
  const holder = await db.client();
  await holder.query(`begin; lock table ${table} in share mode`);
  // Worker threads find tsx from the folder of the checkout.
  const root = new URL('../../', import.meta.url).pathname;
  const words = ['run', join(scene.folder, '*.csv'), '--table', table, '--database-url', db.url];
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit');
  const waiting = `select count(*)::int as n from pg_locks where not granted and relation = $1::regclass`;
  while ((await db.query<{ n: number }>(waiting, [table]))[0]?.n === 0) {
    if (child.exitCode !== null) throw new Error(`The run ended early: ${said}`);
    await new Promise((next) => setTimeout(next, 20));
  }
  expect(await runs()).toMatchObject([{ status: 'running', pid: child.pid, finishedAt: null }]);
  child.kill('SIGKILL');
  await ended;
  await holder.end();
  const session = `select 1 from pg_stat_activity where application_name like 'etl %-%'`;
  while ((await db.query(session)).length > 0) await new Promise((next) => setTimeout(next, 20));
  expect(await runs()).toMatchObject([
    { status: 'cut-off', finishedAt: null, durationMs: null, tables: [`public.${table}`] },
  ]);
  expect((await scene.run(['*.csv'])).code).toBe(0);
  expect((await runs()).map(({ status }) => status)).toEqual(['loaded', 'cut-off']);
});

test('a partitioned load, which cannot tell the counts of a file, tells those of the run', async () => {
  await scene.write(FILES);
  expect((await scene.run(['*.csv', '--strategy', 'partitioned'])).code).toBe(0);
  const [run] = await runs();
  expect(run).toMatchObject({ rows: { rowsRead: 5, inserted: 3 }, files: { loaded: 2 } });
  const { files } = await historyOf(run?.runId ?? '');
  expect(files?.map(({ rows }) => [rows.rowsRead, rows.inserted])).toEqual([
    [2, null],
    [3, null],
  ]);
});

/** The ledger as version 1 of its schema has it. */
const DOWNGRADE = `drop table etl.load, etl.file, etl.reject, etl.corrected; delete from etl.migration where version > 1`;

test('of a ledger of the version before tells what that has, and the next run extends it', async () => {
  await scene.write(FILES);
  await scene.run(['*.csv']);
  await scene.db.query(DOWNGRADE);
  const [old] = await runs();
  expect(old).toMatchObject({
    status: 'loaded',
    files: { loaded: 2, skipped: null, failed: null },
    rows: { rowsRead: 5 },
  });
  const { files } = await historyOf(old?.runId ?? '');
  expect(files).toMatchObject([{ stageMs: null }, { stageMs: null }]);

  // A transaction that a dead run prepared holds this lock, until a run has got past the migration.
  const dead = await scene.db.client();
  await dead.query('begin; lock table etl.ledger in row exclusive mode');
  const next = await scene.run(['*.csv', '--force']);
  await dead.end();
  expect(next.code).toBe(0);
  expect((await runs())[0]).toMatchObject({ files: { loaded: 2, skipped: 0, failed: 0 } });
});

test('a role that may load, but not extend an older ledger, goes on with it', async () => {
  const { table, db } = scene;
  await scene.write(FILES);
  await scene.run(['a.csv']);
  await db.query(DOWNGRADE);
  const role = `loader_${table}_${db.name}`;
  await db.query(`create role ${role} login password 'secret'`);
  try {
    await db.query(`grant usage on schema etl to ${role}`);
    await db.query(`grant select, insert, update on etl.run, etl.ledger, ${table} to ${role}`);
    await db.query(`grant select on etl.migration to ${role}`);
    const url = db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`);
    const words = ['run', '*.csv', '--table', table, '--database-url', url];
    const end = await etl(words, { cwd: scene.folder });
    expect(end.code).toBe(0);
    expect(end.stdout.replaceAll(/\s+/g, ' ')).toContain('history of this load could not be kept');
    expect((await runs())[0]).toMatchObject({ status: 'loaded', rows: { rowsRead: 3 } });
  } finally {
    await db.query(`drop owned by ${role}`);
    await db.query(`drop role ${role}`);
    await scene.run(['*.csv']);
  }
});
