import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import type { jobSchema } from '../../src/job/schema.ts';
import { silentLog } from '../../src/log.ts';
import type { Report } from '../../src/run/report-types.ts';
import { load } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { useScene } from '../support/scene.ts';

/** Corrected rows take the road of the file that they came from: its transform, and its policies. */
const scene = useScene(
  (
    table,
  ) => `create table ${table} (id int primary key, name text, n int check (n >= 0), made text);
              insert into ${table} values (9, 'held', 9, 'before')`,
);

const HEAD = 'id,name,n,made\n';

type LoadInput = z.input<typeof jobSchema>['loads'][number];

async function run(more: Partial<LoadInput>, retryRejects = false): Promise<Report> {
  const job = {
    settings: { onError: 'quarantine' as const },
    loads: [{ table: scene.table, files: ['*.csv'], ...more }],
  };
  const { report } = await load(scene.db.url, job, { cwd: scene.folder, retryRejects });
  return report;
}

const REJECTS = 'rejects/a.csv.rejects.csv';

async function correct(from: RegExp, to: string, file = 'a'): Promise<void> {
  const path = join(scene.folder, 'rejects', `${file}.csv.rejects.csv`);
  const text = await readFile(path, 'utf8');
  expect(text).toMatch(from);
  await writeFile(path, text.replace(from, to));
}

async function rows(): Promise<unknown[]> {
  const found = await scene.db.query(`select * from ${scene.table} order by id`);
  return found.map((row) => Object.values(row).join(' '));
}

/** Notes each row that it gets, and rejects odd numbers. */
const TRANSFORM = `export default {
  columns: { made: 'text' },
  transform: (rows, _state, { reject }) =>
    rows.map((row) => row.n === '13' ? reject('thirteen is not loaded') : { ...row, made: row.name + ' seen' }),
};`;

test('a corrected row goes through the transform, which may reject it again', async () => {
  await scene.write({
    't.mjs': TRANSFORM,
    'a.csv': 'id,name,n\n1,a,13\n2,b,bad\n3,c,13\n4,d,4\n5,e,bad\n',
    'b.csv': 'id,name,n\n5,later,5\n',
  });
  const transform = { transform: { module: 't.mjs' } };
  expect((await run(transform)).loads[0]?.totals).toMatchObject({ inserted: 2, rejected: 4 });
  await correct(/^(1,2.*),13$/m, '$1,7');
  await correct(/^(2,3.*),bad$/m, '$1,8');
  await correct(/^(5,6.*),bad$/m, '$1,9');
  const report = await run(transform, true);
  expect([report.error, report.loads[0]?.totals]).toMatchObject([
    null,
    { rowsRead: 4, inserted: 2, superseded: 1, rejected: 1 },
  ]);
  expect(await rows()).toEqual([
    '1 a 7 a seen',
    '2 b 8 b seen',
    '4 d 4 d seen',
    '5 later 5 later seen',
    '9 held 9 before',
  ]);
  const left = await readRejects(join(scene.folder, REJECTS));
  expect(left).toMatchObject([{ etl_record: '3', etl_reason: 'thirteen is not loaded.', n: '13' }]);
});

test.each<[what: string, more: Partial<LoadInput>, left: readonly string[]]>([
  // Of a row that is there the column stays; a row that is not gets it.
  ['insertOnly', { insertOnly: ['made'] }, ['1 a 7 x', '4 d 4 x', '9 a 7 before']],
  // A row whose compared columns are as they were is left alone, with all that it has.
  ['compare', { compare: ['name'] }, ['1 a 7 x', '4 d 4 x', '9 a 7 x']],
])('a corrected row of a load with %s', async (_, more, left) => {
  await scene.write({ 'a.csv': `${HEAD}1,a,bad,x\n4,d,4,x\n9,a,bad,x\n` });
  expect((await run(more)).loads[0]?.totals).toMatchObject({ inserted: 1, rejected: 2 });
  await correct(/(?<=,a,)bad(?=,x$)/gm, '7');
  const report = await run(more, true);
  expect([report.error, report.loads[0]?.totals.rejected]).toEqual([null, 0]);
  expect(await rows()).toEqual(left);
});

test('compare: a corrected row that is as the row before it writes nothing', async () => {
  await scene.write({ 'a.csv': `${HEAD}9,held,bad,x\n` });
  await run({ compare: ['name'] });
  await correct(/(?<=,held,)bad(?=,x$)/gm, '7');
  const report = await run({ compare: ['name'] }, true);
  expect(report.loads[0]?.totals).toMatchObject({ unchanged: 1, updated: 0 });
  expect(await rows()).toEqual(['9 held 9 before']);
});

test.each<[what: string, more: Partial<LoadInput>]>([
  ['insertOnly', { insertOnly: ['made'] }],
  ['compare', { compare: ['name'] }],
])('%s: a corrected row whose key comes again behind it is refused', async (_, more) => {
  await scene.write({ 'a.csv': `${HEAD}1,a,bad,x\n`, 'b.csv': `${HEAD}1,b,1,y\n` });
  await run(more);
  await correct(/(?<=,a,)bad(?=,x$)/gm, '7');
  const report = await run(more, true).catch((error: unknown) => error);
  const error = report instanceof Error ? report : (report as Report).error;
  expect(JSON.stringify(error)).toContain('come again behind them');
  expect(await rows()).toEqual(['1 b 1 y', '9 held 9 before']);
});

test('a corrected row is settled in each table by its own key', async () => {
  await scene.db.query(`create table ${scene.table}_more (name text primary key, n int)`);
  await scene.write({
    'a.csv': `${HEAD}1,x,bad,a\n2,y,bad,a\n3,z,3,a\n`,
    // In the one table 1 comes again, in the other y.
    'b.csv': `${HEAD}1,v,4,b\n5,y,5,b\n`,
  });
  const columns = { id: null, made: null };
  const targets = [{ table: `${scene.table}_more`, onConflict: 'update' as const, columns }];
  expect((await run({ targets })).loads[0]?.totals).toMatchObject({ rejected: 2 });
  await correct(/(?<=,)bad(?=,a$)/gm, '7');
  const [load] = (await run({ targets }, true)).loads;
  expect([load?.totals, load?.targets]).toMatchObject([
    { rowsRead: 2, inserted: 1, superseded: 1 },
    [{ inserted: 1, superseded: 1, filtered: 0 }],
  ]);
  expect(await rows()).toEqual(['1 v 4 b', '2 y 7 a', '3 z 3 a', '5 y 5 b', '9 held 9 before']);
  expect(await more()).toEqual(['v 4', 'x 7', 'y 5', 'z 3']);
});

test('a corrected row does not lose to a later one that where leaves out of the table', async () => {
  await scene.db.query(`create table ${scene.table}_more (name text primary key, n int)`);
  await scene.write({
    'a.csv': `${HEAD}1,x,bad,a\n2,y,bad,a\n`,
    'b.csv': `${HEAD}3,x,50,b\n4,y,5,b\n`,
  });
  const columns = { id: null, made: null };
  const targets = [{ table: `${scene.table}_more`, columns, where: 'n < 10' }];
  await run({ targets });
  await correct(/(?<=,)bad(?=,a$)/gm, '7');
  const [load] = (await run({ targets }, true)).loads;
  expect(load?.targets).toMatchObject([{ inserted: 1, superseded: 1, filtered: 0 }]);
  expect(await more()).toEqual(['x 7', 'y 5']);
});

async function more(): Promise<unknown[]> {
  const found = await scene.db.query(`select name, n from ${scene.table}_more order by name`);
  return found.map((row) => Object.values(row).join(' '));
}

test.each(['of the job', 'of another job'])(
  'what another load %s brought to a further table cannot be told apart, and is refused',
  async (whose) => {
    const table = `${scene.table}_more`;
    await scene.db.query(`create table ${table} (name text primary key, n int)`);
    await scene.db.query(`create table ${scene.table}_beside (name text primary key, n int)`);
    await scene.write({
      'a.csv': `${HEAD}1,x,bad,a\n`,
      'names.txt': 'name,n\nx,5\n',
      'beside.txt': 'name,n\nx,6\n',
    });
    const columns = { id: null, made: null };
    const beside = { table: `${scene.table}_beside`, files: ['beside.txt'] };
    const own = { table: scene.table, files: ['*.csv'], targets: [{ table, columns }] };
    const names = { table, files: ['names.txt'] };
    const all = async (retryRejects: boolean, loads: LoadInput[]): Promise<string> => {
      const job = { settings: { onError: 'quarantine' as const }, loads };
      const options = { cwd: scene.folder, retryRejects };
      const end = await load(scene.db.url, job, options).catch((error: unknown) => error);
      return JSON.stringify(end instanceof Error ? end : (end as { report: Report }).report.error);
    };
    if (whose === 'of the job') await all(false, [own, beside, names]);
    else {
      await all(false, [own, beside]);
      await all(false, [names]);
    }
    await correct(/(?<=,)bad(?=,a$)/gm, '7');
    expect(await all(true, [own, beside])).toContain('may have come to');
    expect(await more()).toEqual(['x 5']);
    // A load that writes other tables only is no matter, though the same run held the table.
    await scene.db.query(`delete from etl.ledger where path like '%names.txt'`);
    expect(await all(true, [own, beside])).toBe('null');
    expect(await more()).toEqual(['x 7']);
  },
);

test('files of other columns that are corrected together keep their order', async () => {
  const narrow = 'id,n\n';
  await scene.write({
    'a.csv': `${HEAD}1,a,bad,x\n`,
    'b.csv': `${narrow}1,bad\n`,
    'c.csv': `${HEAD}1,c,bad,y\n`,
  });
  expect((await run({})).loads[0]?.totals).toMatchObject({ rejected: 3 });
  await correct(/(?<=,a,)bad(?=,x$)/gm, '1');
  await correct(/(?<=,)bad$/gm, '2', 'b');
  await correct(/(?<=,c,)bad(?=,y$)/gm, '3', 'c');
  const report = await run({}, true);
  expect([report.error, report.loads[0]?.totals.rejected]).toEqual([null, 0]);
  expect(await rows()).toEqual(['1 c 3 y', '9 held 9 before']);
});

test('a corrected row keeps what was looked up for it, as etl verify finds', async () => {
  const { db, folder, table } = scene;
  await db.query(
    `create table ${table}_names (id int generated always as identity primary key, name text unique);
     insert into ${table}_names (name) values ('ada'), ('ben');
     create table ${table}_of (name_id int not null, n int, id int primary key)`,
  );
  await scene.write({ 'a.csv': 'id,name,n\n1,ada,bad\n2,ben,2\n3,carl,3\n' });
  const lookups = [{ column: 'name', table: `${table}_names`, match: 'name', into: 'name_id' }];
  const asked = { table: `${table}_of`, lookups };
  expect((await run(asked)).loads[0]?.totals).toMatchObject({ inserted: 1, rejected: 2 });
  await correct(/(?<=,ada,)bad$/gm, '1');
  await correct(/carl/gm, 'ben');
  expect((await run(asked, true)).loads[0]?.totals).toMatchObject({ inserted: 2, rejected: 0 });
  const job = { loads: [{ files: ['*.csv'], ...asked }] };
  const options = { databaseUrl: db.url, wholeTable: true, cwd: folder, log: silentLog };
  const { tables } = await verify(defineJob(job, folder), { ...options, now: () => 0 });
  expect(tables).toMatchObject([{ equal: true, keys: 3 }]);
});

test('a document is corrected where it lies, and loaded as a file that has changed', async () => {
  const documents = { path: '{id}.html', columns: { name: 'content' as const } };
  const asked = { files: ['*.html'], documents, key: ['id'] };
  await scene.write({ '1.html': 'one', '2.html': Buffer.from('tw\xff', 'latin1') });
  expect((await run(asked)).loads[0]?.totals).toMatchObject({ inserted: 1, rejected: 1 });
  const told = await run(asked, true).catch((error: unknown) => error);
  expect(JSON.stringify(told)).toContain('corrected where it lies');
  await scene.write({ '2.html': 'two' });
  expect((await run(asked)).loads[0]?.totals).toMatchObject({ rowsRead: 1, inserted: 1 });
  expect((await rows()).slice(0, 2)).toEqual(['1 one  ', '2 two  ']);
});
