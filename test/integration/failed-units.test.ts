import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/plan/plan-types.ts';
import type { EtlEnd } from '../support/etl.ts';
import { planJob, runPlan } from '../support/load.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';

/** What an error in one file does to the others of its unit, and the limits of what is an error. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name varchar(5) not null,
                amount numeric(6,2) check (amount >= 0), parent int references parent);
              insert into ${table} values (1, 'old', 1)`,
  'create table parent (id int primary key)',
);

function run(...words: readonly string[]): Promise<EtlEnd> {
  return scene.run(['*.csv', ...words]);
}

async function ids(): Promise<unknown[]> {
  const found = await scene.db.query(`select id from ${scene.table} order by id`);
  return found.map(({ id }) => id);
}

describe('a group of small files in one unit', () => {
  beforeEach(async () => {
    for (const [place, name] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
      await scene.write({
        [`${name}.csv`]: `id,name,amount\n1,${name},1\n${place + 2},${name},1\n`,
      });
    }
  });

  test.for([
    ['at staging', 'id,name,amount\n1,c,1\n4,c,much\n', { line: 3, column: 'amount' }],
    ['at the merge', 'id,name,amount\n1,c,1\n4,c,-4\n', { sqlState: '23514' }],
  ] as const)('the third is bad %s', async ([, content, facts]) => {
    await scene.write({ 'c.csv': content });
    const end = await run('--concurrency', '1');
    expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
    expect(end.error?.facts).toMatchObject({ file: 'c.csv', ...facts });
    const none = 'not-loaded';
    expect(statusesOf(end.report)).toEqual(['loaded', 'loaded', 'failed', none, none, none]);
    expect(end.report?.loads[0]?.totals.rowsRead).toBe(4);
    expect(await scene.db.query(`select id, name from ${scene.table} order by id`)).toEqual([
      { id: 1, name: 'b' },
      { id: 2, name: 'a' },
      { id: 3, name: 'b' },
    ]);

    await scene.write({ 'c.csv': 'id,name,amount\n1,c,1\n4,c,4\n' });
    const again = await run('--concurrency', '1');
    const l = 'loaded';
    expect(statusesOf(again.report)).toEqual(['skipped', 'skipped', l, l, l, l]);
    expect(await ids()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const [one] = await scene.db.query(`select name from ${scene.table} where id = 1`);
    expect(one).toEqual({ name: 'f' });
  });
});

test('a file with only a header loads no rows', async () => {
  await scene.write({ 'a.csv': 'id,name\n' });
  await scene.write({ 'b.csv': 'id,name\n2,b\n' });
  const end = await run('--concurrency', '2');
  expect([end.code, statusesOf(end.report)]).toEqual([0, ['loaded', 'loaded']]);
  expect(filesOf(end.report)[0]).toMatchObject({ rowsRead: 0, inserted: 0 });
  expect(await ids()).toEqual([1, 2]);
});

test('the end-of-data mark of COPY is a value where it is one', async () => {
  await scene.db.query(`create table ${scene.table}_text (line text primary key)`);
  await scene.write({ 'a.csv': 'line\nbefore\n\\.\nafter\n' });
  const end = await run('--table', `${scene.table}_text`);
  expect([end.code, end.stderr]).toEqual([0, '']);
  const lines = await scene.db.query(
    `select line from ${scene.table}_text order by line collate "C"`,
  );
  expect(lines.map(({ line }) => line)).toEqual(['\\.', 'after', 'before']);
});

test('bytes that are not UTF-8, where the planner did not see them', async () => {
  const path = join(scene.folder, 'b.csv');
  await scene.write({ 'b.csv': 'id,name\n3,c\n4,cafe\n' });
  await utimes(path, 1, 1);
  const job = { loads: [{ table: scene.table, files: ['b.csv'] }] };
  const plan = withoutChangeTimes(await planJob(scene.db.url, job, { cwd: scene.folder }));
  await scene.write({ 'b.csv': Buffer.from('id,name\n3,c\n4,caf\u00e9\n', 'latin1') });
  await utimes(path, 1, 1);
  const { status, error } = await runPlan(scene.db.url, plan, {});
  expect([status, error?.code]).toEqual(['failed', 'ETL_CSV_MALFORMED']);
  expect(error?.facts).toMatchObject({ file: 'b.csv', line: 3 });
  expect(error?.sentence).toContain('it has bytes that are not utf8');
  expect(await ids()).toEqual([1]);
});

/** Of a planner on a file system that does not know when a file was changed last. */
function withoutChangeTimes(plan: Plan): Plan {
  const known = (key: string, value: unknown): unknown => (key === 'ctimeMs' ? undefined : value);
  return JSON.parse(JSON.stringify(plan, known)) as Plan;
}

test('a nullable column as key: a NULL in it is refused, not merged with another NULL', async () => {
  await scene.db.query(`create table ${scene.table}_null (code text unique, n int)`);
  await scene.write({ 'a.csv': 'code,n\nx,1\n,2\n,3\n' });
  const end = await run('--table', `${scene.table}_null`, '--key', 'code');
  expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
  expect(end.error?.facts).toMatchObject({ file: 'a.csv', line: 3, column: 'code' });
  expect(await scene.db.query(`select * from ${scene.table}_null`)).toEqual([]);
});

test('a foreign key that is checked at COMMIT fails the file like one that is checked at once', async () => {
  await scene.db.query(
    `create table ${scene.table}_late (id int primary key,
       parent int references parent deferrable initially deferred)`,
  );
  await scene.write({ 'a.csv': 'id,parent\n1,\n' });
  await scene.write({ 'b.csv': 'id,parent\n1,7\n' });
  const end = await run('--table', `${scene.table}_late`, '--concurrency', '2');
  expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
  expect(end.error?.facts).toMatchObject({ file: 'b.csv', sqlState: '23503' });
  expect(await scene.db.query(`select * from ${scene.table}_late`)).toEqual([
    { id: 1, parent: null },
  ]);
});

test('append into a table with a primary key: a key that comes twice fails the later file', async () => {
  const many = Array.from({ length: 30_000 }, (_, place) => `${place + 10},a\n`).join('');
  await scene.write({ 'a.csv': `id,name\n${many}6,a\n` });
  await scene.write({ 'b.csv': 'id,name\n6,b\n7,b\n' });
  await scene.write({ 'c.csv': 'id,name\n8,c\n' });
  const argv = ['--on-conflict', 'append', '--concurrency', '3', '--lock-timeout-ms', '300'];
  const end = await run(...argv);
  expect([end.code, end.error?.code]).toEqual([1, 'ETL_ROW_INVALID']);
  expect(end.error?.facts).toMatchObject({ file: 'b.csv', sqlState: '23505' });
  expect(statusesOf(end.report)).toEqual(['loaded', 'failed', 'not-loaded']);
  expect((await ids()).slice(0, 3)).toEqual([1, 6, 10]);
  expect(await ids()).toHaveLength(30_002);
});
