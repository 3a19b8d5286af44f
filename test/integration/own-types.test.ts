import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { JobInput } from '../../src/job/define-job.ts';
import type { Report } from '../../src/run/report-types.ts';
import { load } from '../support/load.ts';
import { useScene } from '../support/scene.ts';
import { parquetOf } from '../support/twin-files.ts';

/** Types that a database makes for itself, in whatever way their values come into staging. */
const scene = useScene(
  () => '',
  `create schema app; create schema ext; create extension citext schema ext;
   create domain code as varchar(3); create domain short_code as code check (value <> 'no');
   create domain padded as character(3); create domain flags as bit(3);
   create domain mail as ext.citext;
   create type timestamp_kind as enum ('start', 'end');
   create type app.interval as enum ('year', 'month', '');
   create type app.json as enum ('a', 'b');
   create type app.int4 as enum ('x', '1');
   create domain app.text as text check (value <> 'never')`,
);

const STRATEGIES = ['full-parallel', 'hybrid', 'sequential', 'partitioned'] as const;
const TOO_LONG = 'value too long for type character varying(3).';

type Load = JobInput['loads'][number];

async function run(one: Load, settings: JobInput['settings'] = {}): Promise<Report> {
  const job = { settings: { concurrency: 2, ...settings }, loads: [one] };
  return (await load(scene.db.url, job, { cwd: scene.folder })).report;
}

describe('a domain over a type with a length', () => {
  beforeEach(async () => {
    await scene.db.query(
      `drop table if exists t, other, companies;
       create table t (k short_code primary key, v text);
       create table other (k text primary key, v text)`,
    );
  });

  it('refuses what is too long where another table takes the same rows as text', async () => {
    await scene.write({ 'a.csv': 'k,v\nabcdef,1\nabcxyz,2\n', 'b.csv': 'k,v\nabc  ,1\nab,2\n' });
    const report = await run({ table: 'other', files: ['a.csv'], targets: [{ table: 't' }] });
    expect(report.error?.sentence).toBe(TOO_LONG);
    expect(await scene.db.query('select from t')).toEqual([]);
    const fitting = await run({ table: 'other', files: ['b.csv'], targets: [{ table: 't' }] });
    expect(fitting.error).toBeNull();
    expect(await scene.db.query('select * from t order by k')).toEqual([
      { k: 'ab', v: '2' },
      { k: 'abc', v: '1' },
    ]);
  });

  it('rejects such rows alone with onError quarantine', async () => {
    await scene.write({ 'a.csv': 'k,v\nabcdef,1\nabc,2\nabcxyz,3\n' });
    const settings = { onError: 'quarantine', rejects: scene.folder } as const;
    const one = { table: 'other', files: ['a.csv'], targets: [{ table: 't' }] };
    const report = await run(one, settings);
    expect(report.loads[0]?.totals.rejected).toBe(2);
    expect(await scene.db.query('select * from t')).toEqual([{ k: 'abc', v: '2' }]);
  });

  it.each(['padded', 'flags', 'code'])(
    'refuses it for values of Parquet, too: %s',
    async (type) => {
      await scene.db.query(`create table wide_${type} (k int primary key, v ${type})`);
      const v = { name: 'v', type: { kind: 'string' }, texts: ['1011'] } as const;
      const integer = { kind: 'integer', bits: 32, signed: true } as const;
      const file = parquetOf([{ name: 'k', type: integer, texts: ['1'] }, v]);
      await writeFile(join(scene.folder, 'a.parquet'), file);
      const report = await run({ table: `wide_${type}`, files: ['a.parquet'] });
      expect(report.error?.code).toBe('ETL_ROW_INVALID');
      expect(await scene.db.query(`select from wide_${type}`)).toEqual([]);
    },
  );

  it('refuses it in parts of paths', async () => {
    await mkdir(join(scene.folder, 'pages'));
    await writeFile(join(scene.folder, 'pages', 'abcdef.html'), 'x');
    const documents = { path: '{k}.html', columns: { v: 'content' } } as const;
    const report = await run({ table: 't', files: ['pages/*.html'], documents });
    expect(report.error?.sentence).toBe(TOO_LONG);
  });

  it('is not looked up by the part of a value that fits', async () => {
    await scene.db.query(
      `create table companies (id int generated always as identity primary key, symbol code unique);
       insert into companies (symbol) values ('ABC')`,
    );
    await scene.write({ 'a.csv': 'k,symbol\n1,abc\n2,abcdef\n' });
    const by = { column: 'symbol', table: 'companies', match: 'symbol', into: 'v' };
    await scene.db.query('create table looked (k int primary key, v int)');
    for (const insertMissing of [false, true]) {
      const one = {
        table: 'looked',
        files: ['a.csv'],
        lookups: [{ ...by, fold: 'upper' as const, insertMissing }],
      };
      const report = await run(one, { onError: 'quarantine', rejects: scene.folder });
      expect(report.loads[0]?.totals.rejected).toBe(1);
      expect(await scene.db.query('select * from looked')).toEqual([{ k: 1, v: 1 }]);
      await scene.db.query('truncate looked');
    }
    expect(await scene.db.query('select symbol from companies')).toEqual([{ symbol: 'ABC' }]);
  });
});

describe("a type that bears the name of one of PostgreSQL's own", () => {
  it.each(STRATEGIES)('is none of them, as a key: %s', async (strategy) => {
    await scene.db.query('create table k (k timestamp_kind, n int, v text, primary key (k, n));');
    await scene.write({ 'a.csv': 'k,n,v\nstart,1,x\nend,2,y\n', 'b.csv': 'k,n,v\nend,2,z\n' });
    const report = await run({ table: 'k', files: ['*.csv'], strategy });
    expect(report.error).toBeNull();
    expect(await scene.db.query('select * from k order by n')).toEqual([
      { k: 'start', n: 1, v: 'x' },
      { k: 'end', n: 2, v: 'z' },
    ]);
    await scene.db.query('drop table k');
  });

  it.each(['csv', 'json', 'parquet'])('is read as the database reads it: %s', async (format) => {
    await scene.db.query(
      `drop table if exists v;
       create table v (k app.interval primary key, j app.json, i app.int4, t app.text)`,
    );
    const rows = [
      { k: 'month', j: 'b', i: '1', t: 'some' },
      { k: '', j: 'a', i: 'x', t: '' },
    ];
    const quoted = (row: object): string =>
      `${Object.values(row)
        .map((v) => `"${v}"`)
        .join()}\n`;
    const text = { kind: 'string' } as const;
    const content = {
      csv: () => `k,j,i,t\n${rows.map(quoted).join('')}`,
      json: () => JSON.stringify(rows),
      parquet: () =>
        Buffer.from(
          parquetOf(
            (['k', 'j', 'i', 't'] as const).map((name) => ({
              ...{ name, type: text, texts: rows.map((row) => row[name]) },
            })),
          ),
        ),
    }[format];
    await scene.write({ [`a.${format}`]: content?.() ?? '' });
    const report = await run({ table: 'v', files: [`a.${format}`] });
    expect(report.error).toBeNull();
    expect(await scene.db.query('select * from v order by t desc')).toEqual(rows);
  });
});

/** Where the path of the session does not lead to them, PostgreSQL compares the types that these are made of. */
describe('the operators of a type in a schema of its own', () => {
  it.each(['ext.citext', 'mail'])('find the row that is to be compared: %s', async (type) => {
    await scene.db.query(
      `drop table if exists c; create table c (k ${type} primary key, v text, w text);
       insert into c values ('KEY', 'a', 'old')`,
    );
    await scene.write({ 'a.csv': 'k,v,w\nkey,a,new\n' });
    const report = await run({ table: 'c', files: ['a.csv'], compare: ['v'] });
    expect(report.loads[0]?.totals).toMatchObject({ updated: 0, unchanged: 1 });
    expect(await scene.db.query('select * from c')).toEqual([{ k: 'KEY', v: 'a', w: 'old' }]);
  });

  it.each(['ext.citext', 'mail'])('say which version is newer: %s', async (type) => {
    await scene.db.query(
      `drop table if exists c; create table c (k int primary key, version ${type}, v text);
       insert into c values (1, 'B', 'old')`,
    );
    await scene.write({ 'a.csv': 'k,version,v\n1,a,older\n' });
    const newest = { onConflict: 'newest', versionColumn: 'version' } as const;
    expect((await run({ table: 'c', files: ['a.csv'], ...newest })).error).toBeNull();
    expect(await scene.db.query('select v from c')).toEqual([{ v: 'old' }]);
  });

  it('find what a domain is looked up by', async () => {
    await scene.db.query(
      `create table people (id int generated always as identity primary key, address mail unique);
       insert into people (address) values ('A@B'); create table visits (k int primary key, who int)`,
    );
    await scene.write({ 'a.csv': 'k,address\n1,a@b\n2,c@d\n3,C@D\n' });
    const lookup = { column: 'address', table: 'people', match: 'address', into: 'who' };
    const one = {
      table: 'visits',
      files: ['a.csv'],
      lookups: [{ ...lookup, insertMissing: true }],
    };
    expect((await run(one)).error).toBeNull();
    expect(await scene.db.query('select k, who from visits order by k')).toEqual([
      { k: 1, who: 1 },
      { k: 2, who: 2 },
      { k: 3, who: 2 },
    ]);
  });
});

it.each(['update', 'append'] as const)(
  'a domain that may not be NULL is not left out of rows that look new: %s',
  async (onConflict) => {
    await scene.db.query(
      `drop table if exists present; drop domain if exists known, given;
       create domain given as int not null; create domain known as given check (value is not null);
       create table present (k int primary key, v text, n known)`,
    );
    await scene.write({ 'a.csv': 'k,v\n1,a\n2,b\n3,c\n', 'b.csv': 'k,v,n\n1,a,1\n2,b,2\n3,c,3\n' });
    const refused = await run({ table: 'present', files: ['a.csv'], onConflict });
    expect(refused.error?.sentence).toBe('domain known does not allow null values.');
    expect(await scene.db.query('select from present')).toEqual([]);
    const taken = await run({ table: 'present', files: ['b.csv'], onConflict });
    expect(taken.loads[0]?.totals).toMatchObject({ inserted: 3 });
  },
);

test('a domain that the job names is the type of the column that is made', async () => {
  await scene.db.query('drop table if exists made');
  await scene.write({
    'a.csv': 'k,v,n,at\n1,abc,1.25,2024-01-01\n',
    'b.csv': 'k,v,n,at\n2,no,1,2024-01-01\n',
  });
  const types = { v: 'short_code', n: 'numeric(4,1)', at: 'timestamp(0)' };
  const one = { table: 'made', key: ['k'], files: ['*.csv'], types };
  const report = await run(one);
  expect(report.error?.sentence).toContain('violates check constraint "short_code_check"');
  expect(
    await scene.db.query(
      `select string_agg(format_type(atttypid, atttypmod), ', ' order by attnum) as types
         from pg_attribute where attrelid = 'made'::regclass and attnum > 1`,
    ),
  ).toEqual([{ types: 'short_code, numeric(4,1), timestamp(0) without time zone' }]);
  expect(await scene.db.query('select v, n from made')).toEqual([{ v: 'abc', n: '1.3' }]);
});
