import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { VerifyReport, TableComparison } from '../../src/check/verify/verify-types.ts';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import { loadSequentially } from '../../tools/oracle.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { etl, type EtlEnd } from '../support/etl.ts';
import { load } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';
import { csvOf, randomLoad, type RandomLoad } from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';

/** The table against what its files should have left. */
const scene = useScene(
  (table) => `create table ${table} (id numeric primary key, name text, version int)`,
);

const FILES = {
  'a.csv': 'id,name,version\n1,a,1\n2.0,a,1\n',
  'b.csv': 'id,name,version\n2.00,b,2\n3,b,2\n',
};

async function verified(...words: string[]): Promise<{ end: EtlEnd; table: TableComparison }> {
  const target = ['--table', scene.table, '--database-url', scene.db.url];
  const end = await etl(['verify', '*.csv', ...target, '--json', ...words], { cwd: scene.folder });
  expect(end.stderr).toBe('');
  const report = JSON.parse(end.stdout) as VerifyReport;
  const [table] = report.tables;
  if (table === undefined) throw new Error(end.stdout);
  expect(end.code).toBe(report.equal ? 0 : 1);
  return { end, table };
}

async function loaded(...words: string[]): Promise<void> {
  await scene.write(FILES);
  expect((await scene.run(['*.csv', ...words])).code).toBe(0);
}

describe('a table by key', () => {
  test('is equal after its load, also as a whole', async () => {
    await loaded();
    for (const words of [[], ['--whole-table']]) {
      const { table } = await verified(...words);
      expect(table).toMatchObject({ equal: true, keys: 3, rowsRead: 4, files: 2, notices: [] });
      expect(table).toMatchObject({ ranges: 1, rangesJoined: 0, differences: [] });
    }
  });

  test('names a changed row with both values, a missing row, and a spelling', async () => {
    await loaded();
    await scene.db.query(`update ${scene.table} set name = null where id = 1`);
    await scene.db.query(`update ${scene.table} set id = 2.0 where id = 2`);
    await scene.db.query(`delete from ${scene.table} where id = 3`);
    const { table } = await verified();
    expect(table).toMatchObject({ equal: false, missing: 1, changed: 2, extra: 0 });
    expect(table.differences).toEqual([
      {
        kind: 'changed',
        key: { id: '1' },
        columns: [{ column: 'name', reference: 'a', table: null }],
        copies: null,
      },
      {
        kind: 'changed',
        key: { id: '2.00' },
        columns: [{ column: 'id', reference: '2.00', table: '2.0' }],
        copies: null,
      },
      { kind: 'missing', key: { id: '3' }, columns: [], copies: null },
    ]);
  });

  test('says it to people as well, without obeying what stands in the data', async () => {
    await loaded();
    await scene.db.query(`update ${scene.table} set name = E'\\x1b]0;x' where id = 1`);
    const words = ['verify', '*.csv', '--table', scene.table, '--database-url', scene.db.url];
    const end = await etl(words, { cwd: scene.folder });
    expect(end.code).toBe(1);
    expect(end.stdout).toContain('name: files "a", table "\\u001b]0;x"');
    expect(end.stdout).toContain('Different: 1 of 1 table');
    expect(end.stdout).not.toContain('\u001b');
  });

  test('may hold other rows, unless it is to hold nothing else', async () => {
    await loaded();
    await scene.db.query(`insert into ${scene.table} values (0, 'other', 1), (9, 'other', 1)`);
    expect((await verified()).table).toMatchObject({ equal: true, keys: 3, extra: 0 });
    const { table } = await verified('--whole-table');
    expect(table).toMatchObject({ equal: false, extra: 2, missing: 0, changed: 0 });
    expect(table.differences.map(({ kind, key }) => [kind, key['id']])).toEqual([
      ['extra', '0'],
      ['extra', '9'],
    ]);
  });

  test('with ignore keeps what was there, which no file can tell from a change', async () => {
    await scene.db.query(`insert into ${scene.table} values (3, 'before', 7)`);
    await loaded('--on-conflict', 'ignore');
    const words = ['--on-conflict', 'ignore'];
    expect((await verified(...words)).table).toMatchObject({ equal: true, kept: 1, changed: 0 });
    const whole = await verified(...words, '--whole-table');
    expect(whole.table).toMatchObject({ equal: false, kept: 0, changed: 1 });
    await scene.db.query(`delete from ${scene.table} where id = 3`);
    expect((await verified(...words)).table).toMatchObject({ equal: false, missing: 1 });
  });

  test('with newest may hold a newer row, and no older one', async () => {
    await scene.db.query(`insert into ${scene.table} values (3, 'before', 7)`);
    const words = ['--on-conflict', 'newest', '--version-column', 'version'];
    await loaded(...words);
    expect((await verified(...words)).table).toMatchObject({ equal: true, newer: 1 });
    await scene.db.query(`update ${scene.table} set version = 1 where id = 2`);
    const { table } = await verified(...words);
    expect(table).toMatchObject({ equal: false, newer: 1, changed: 1 });
    expect(table.differences[0]?.columns).toEqual([
      { column: 'version', reference: '2', table: '1' },
    ]);
  });

  test('is compared only where a file brought a value', async () => {
    await scene.db.query(`insert into ${scene.table} values (1, 'before', 7), (3, 'before', 7)`);
    await scene.write({ 'a.csv': 'id,name\n1,a\n2,a\n', 'b.csv': 'id,version\n2,5\n3,5\n' });
    expect((await scene.run(['*.csv'])).code).toBe(0);
    expect((await verified()).table).toMatchObject({ equal: true, keys: 3, rangesJoined: 1 });
    await scene.db.query(`update ${scene.table} set version = 8, name = 'x' where id = 3`);
    const { table } = await verified();
    expect(table.differences.map(({ key, columns }) => [key, columns])).toEqual([
      [{ id: '3' }, [{ column: 'version', reference: '5', table: '8' }]],
    ]);
  });

  test('with newest and files of different columns trusts only what the newest row brought', async () => {
    await scene.db.query(`insert into ${scene.table} values (1, 'before', 5)`);
    await scene.write({ 'a.csv': 'id,version,name\n1,3,a\n', 'b.csv': 'id,version\n1,7\n' });
    const words = ['--on-conflict', 'newest', '--version-column', 'version'];
    expect((await scene.run(['*.csv', ...words])).code).toBe(0);
    // The row of the first file lost to the one that was there, so the name is none of the files'.
    expect((await verified(...words)).table).toMatchObject({ equal: true, changed: 0 });
    expect((await verified(...words, '--whole-table')).table).toMatchObject({ changed: 1 });
  });

  test('tells files that were not loaded, or changed since', async () => {
    await loaded();
    await scene.write({ 'a.csv': FILES['a.csv'].replace('1,a', '1,A'), 'c.csv': 'id,name\n8,c\n' });
    const { table } = await verified();
    expect(table).toMatchObject({ equal: false, missing: 1, changed: 1 });
    expect(table.notices.join(' ')).toMatch(/c\.csv: not loaded .* a\.csv: other content/);
  });

  test('that does not exist is an error', async () => {
    await scene.write(FILES);
    const target = ['--table', 'nowhere', '--key', 'id', '--database-url', scene.db.url];
    const end = await etl(['verify', '*.csv', ...target], { cwd: scene.folder });
    expect([end.code, end.stderr]).toEqual([2, expect.stringContaining('ETL_TABLE_MISSING')]);
  });

  test('is left as soon as it is interrupted', async () => {
    await loaded();
    const { db, table } = scene;
    const holder = await db.client();
    await holder.query(`begin; lock table ${table}`);
    const interrupt = new AbortController();
    const words = ['verify', '*.csv', '--table', table, '--database-url', db.url];
    const running = etl(words, { cwd: scene.folder, signal: interrupt.signal });
    const waiting = `select 1 from pg_locks where not granted and relation = '${table}'::regclass`;
    while ((await db.query(waiting)).length === 0) {
      await new Promise((next) => setTimeout(next, 10));
    }
    interrupt.abort();
    expect((await running).code).toBe(130);
    await holder.end();
  });

  test('is only read: select on it, and temporary tables, are enough', async () => {
    await loaded();
    const { db, table } = scene;
    const role = `reader_${table}_${db.name}`;
    await db.query(`create role ${role} login password 'secret'`);
    try {
      await db.query(`grant select on ${table}, etl.ledger, etl.migration to ${role}`);
      await db.query(`grant usage on schema etl to ${role}`);
      const url = db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`);
      const words = ['verify', '*.csv', '--table', table, '--database-url', url];
      const end = await etl(words, { cwd: scene.folder });
      expect([end.code, end.error]).toEqual([0, null]);
      expect(end.stdout).toContain('Equal: 1 table');
    } finally {
      await db.query(`drop owned by ${role}`);
      await db.query(`drop role ${role}`);
    }
  });
});

test('a key whose type lies in a schema that is not on the search path', async () => {
  const { db } = scene;
  const name = `people_${scene.table}`;
  await db.query('create schema "Ext, 1"; create extension citext schema "Ext, 1"');
  await db.query(`create table ${name} (email "Ext, 1".citext primary key, n int)`);
  await scene.write({ 'a.csv': 'email,n\nA@x,1\nb@x,1\n', 'b.csv': 'email,n\na@x,2\n' });
  const words = ['*.csv', '--table', name];
  expect((await scene.run(words)).code).toBe(0);
  await db.query(`update ${name} set email = 'B@x' where email::text = 'b@x'`);
  const argv = ['verify', ...words, '--database-url', db.url, '--json'];
  const { stdout } = await etl(argv, { cwd: scene.folder });
  // By the operators of text it would be missing, since B is not b.
  expect((JSON.parse(stdout) as VerifyReport).tables[0]).toMatchObject({
    ...{ missing: 0, changed: 1, keys: 2 },
    differences: [{ columns: [{ column: 'email', reference: 'b@x', table: 'B@x' }] }],
  });
});

test('a table without a key is compared by how often each row is there', async () => {
  const words = ['--on-conflict', 'append'];
  await scene.db.query(`alter table ${scene.table} drop constraint ${scene.table}_pkey`);
  await scene.db.query(`insert into ${scene.table} values (5, 'other', null)`);
  await scene.write({ 'a.csv': 'id,name,version\n1,a,1\n1,a,1\n2,a,\n' });
  expect((await scene.run(['*.csv', ...words])).code).toBe(0);
  expect((await verified(...words)).table).toMatchObject({ equal: true, keys: 3 });
  const whole = await verified(...words, '--whole-table');
  expect(whole.table).toMatchObject({ equal: false, missing: 0, extra: 1 });
  await scene.db.query(`delete from ${scene.table} where id = 1`);
  await scene.db.query(`insert into ${scene.table} values (1, 'a', 1)`);
  const { table } = await verified(...words);
  expect(table).toMatchObject({ equal: false, missing: 1, extra: 0 });
  expect(table.differences).toEqual([
    {
      kind: 'missing',
      key: { id: '1', name: 'a', version: '1' },
      columns: [],
      copies: { reference: 2, table: 1 },
    },
  ]);
});

test('Parquet and a key of two columns, over more than one range', async () => {
  const { db, folder } = scene;
  const rows = 1_201;
  const name = `pairs_${scene.table}`;
  await db.query(`create table ${name}
    (a int, b varchar(4), c numeric(10,2), d timestamptz, primary key (a, b))`);
  const column = <T>(of: (row: number) => T): T[] =>
    Array.from({ length: rows }, (_, row) => of(row));
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'a', data: column((row) => Math.floor(row / 2)), type: 'INT32' },
      { name: 'b', data: column((row) => (row % 2 === 0 ? 'x' : 'y')), type: 'STRING' },
      { name: 'c', data: column((row) => row / 4), type: 'DOUBLE' },
      { name: 'd', data: column((row) => new Date(row * 1000)), type: 'TIMESTAMP' },
    ],
  });
  await writeFile(join(folder, 'pairs.parquet'), Buffer.from(bytes));
  const job = { loads: [{ table: name, files: ['*.parquet'] }] };
  expect((await load(db.url, job, { cwd: folder })).report.status).toBe('loaded');
  const compare = async (): Promise<TableComparison | undefined> => {
    const options = { databaseUrl: db.url, wholeTable: true, cwd: folder, log: silentLog };
    const given = { ...options, rangeKeys: 501, now: () => 0 };
    return (await verify(defineJob(job, folder), given)).tables[0];
  };
  expect(await compare()).toMatchObject({ equal: true, keys: rows, ranges: 3, rangesJoined: 0 });
  await db.query(`update ${name} set c = c + 0.01 where a = 550 and b = 'y'`);
  await db.query(`update ${name} set b = 'z' where a = 600`);
  expect(await compare()).toMatchObject({
    ...{ equal: false, ranges: 3, rangesJoined: 1, changed: 1, missing: 1, extra: 1 },
    differences: [
      { kind: 'changed', key: { a: '550', b: 'y' }, columns: [{ column: 'c' }] },
      { kind: 'missing', key: { a: '600', b: 'x' } },
      { kind: 'extra', key: { a: '600', b: 'z' } },
    ],
  });
  await db.query(`delete from ${name}`);
  expect(await compare()).toMatchObject({ rangesJoined: 3, missing: rows, changed: 0, extra: 0 });
});

/** Whatever was loaded is found equal, and a row that is lost afterwards is found missing. */
describe('random loads', () => {
  let db: TestDatabase;
  let folder: string;
  let cases = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-verify-'));
    await db.query(
      `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    );
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('are equal, and unequal without one of their rows', async () => {
    const property = fc.asyncProperty(randomLoad, fc.boolean(), async (random, wholeTable) => {
      const table = `case_${++cases}`;
      const job = await loadedJob(table, random, wholeTable);
      const options = {
        databaseUrl: db.url,
        wholeTable,
        cwd: folder,
        log: silentLog,
        now: () => 0,
      };
      const [equal] = (await verify(defineJob(job, folder), options)).tables;
      expect(equal).toMatchObject({ equal: true, differences: [] });
      const rows = random.files.reduce((sum, file) => sum + file.rows.length, 0);
      expect(equal?.rowsRead).toBe(rows);
      if (rows > 0) {
        await db.query(`truncate ${table}`);
        const [lost] = (await verify(defineJob(job, folder), options)).tables;
        expect(lost).toMatchObject({ equal: false, missing: equal?.keys });
      }
      await db.query(`drop table ${table}`);
    });
    await checkProperty('test/integration/verify.test.ts', property, 15);
    await expectNoLeaks(db.url);
  }, 300_000);

  async function loadedJob(
    table: string,
    random: RandomLoad,
    wholeTable: boolean,
  ): Promise<Parameters<typeof defineJob>[0]> {
    const all = [...random.key, ...random.values];
    const key = random.key.map((column) => column.name);
    const columns = all.map((column) => `${column.name} ${column.sqlType}`);
    const constraint = random.onConflict === 'append' ? [] : [`primary key (${key.join(', ')})`];
    await db.query(`create table ${table} (${[...columns, ...constraint].join(', ')})`);
    const target = {
      ...{ table, key, columns: all.map((column) => column.name) },
      ...{ onConflict: random.onConflict, versionColumn: 'version' },
    };
    const execute = (sql: string, params: readonly unknown[]) => db.query(sql, params);
    if (!wholeTable) await loadSequentially(execute, target, [random.before]);
    const files = random.files.map((_, place) => join(folder, `${table}-${place}.csv`));
    await Promise.all(
      random.files.map((file, place) => writeFile(files[place] ?? '', csvOf(file))),
    );
    const versionColumn = random.onConflict === 'newest' ? 'version' : null;
    const { onConflict } = random;
    const job = { loads: [{ table, files, onConflict, versionColumn }] };
    const { report } = await load(db.url, job, { cwd: folder });
    expect(report.status).toBe('loaded');
    return job;
  }
});
