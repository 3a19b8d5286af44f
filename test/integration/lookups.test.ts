import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { describe, expect, test } from 'vitest';
import type { loadSchema } from '../../src/job/schema.ts';
import type { RunEvent } from '../../src/run/events.ts';
import type { Report } from '../../src/run/report-types.ts';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import { load, type LoadOptions } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';
import { parquetOf } from '../support/twin-files.ts';

/** Columns of the files that stand for a row of another table, whose id the target gets. */
const scene = useScene(
  (table) => `
    create table ${table}_companies (id bigint generated always as identity primary key,
      symbol text not null unique, created_at timestamptz not null default now());
    create table ${table} (day int, company_id bigint not null references ${table}_companies,
      price numeric, primary key (day, company_id));
    insert into ${table}_companies (symbol) values ('AAPL'), ('MSFT')`,
);

type Load = z.input<typeof loadSchema>;
type Lookup = NonNullable<Load['lookups']>[number];

function lookup(more: Partial<Lookup> = {}): Lookup {
  const table = `${scene.table}_companies`;
  const usual = { column: 'symbol', table, match: 'symbol', into: 'company_id' };
  return { ...usual, insertMissing: true, ...more };
}

function job(more: Partial<Load> & { settings?: object } = {}) {
  const { settings = {}, ...rest } = more;
  return {
    settings: { concurrency: 4, rejects: join(scene.folder, 'rejects'), ...settings },
    loads: [{ table: scene.table, files: ['*.*'], lookups: [lookup()], ...rest }],
  };
}

async function run(
  more: Partial<Load> & { settings?: object } = {},
  options: Partial<LoadOptions> = {},
): Promise<Report> {
  const { report } = await load(scene.db.url, job(more), { cwd: scene.folder, ...options });
  return report;
}

async function loaded(...asked: Parameters<typeof run>): Promise<Report> {
  const report = await run(...asked);
  expect([report.status, report.error]).toEqual(['loaded', null]);
  return report;
}

function refused(more: Partial<Load> = {}): Promise<unknown> {
  return run(more).then(
    ({ error }) => error,
    (error: unknown) => error,
  );
}

/** What is loaded, in the words of the files. */
async function rows(table = scene.table): Promise<string[]> {
  const sql = `select concat_ws(' ', day, coalesce(symbol, '-'), price) as row from ${table}
                 left join ${scene.table}_companies c on c.id = company_id order by day, symbol`;
  return (await scene.db.query(sql)).map(({ row }) => String(row));
}

async function symbols(): Promise<string[]> {
  const sql = `select symbol from ${scene.table}_companies order by symbol collate "C"`;
  return (await scene.db.query(sql)).map(({ symbol }) => String(symbol));
}

describe('a value that is looked up', () => {
  test('is found, or created once, and its id is part of the key', async () => {
    await scene.write({
      'a.csv': 'day,symbol,price\n1,AAPL,10\n1,NEW,20\n2,NEW,21\n1,MSFT,30\n',
      'b.csv': 'price,symbol,day\n22,NEW,2\n40,OTHER,1\n',
    });
    const report = await loaded();
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 6, inserted: 5, superseded: 0 });
    expect(report.loads[0]?.lookups).toEqual([
      { table: `public.${scene.table}_companies`, created: 2 },
    ]);
    expect(await rows()).toEqual(['1 AAPL 10', '1 MSFT 30', '1 NEW 20', '1 OTHER 40', '2 NEW 22']);
    expect(await symbols()).toEqual(['AAPL', 'MSFT', 'NEW', 'OTHER']);
    const again = await loaded({}, { force: true });
    expect(again.loads[0]?.totals).toMatchObject({ inserted: 0, updated: 2, unchanged: 4 });
    expect(again.loads[0]?.lookups).toMatchObject([{ created: 0 }]);
  });

  test('is folded, and spaces count', async () => {
    await scene.write({ 'a.csv': 'day,symbol,price\n1,aapl,1\n2,Aapl,2\n3,new,3\n4," new",4\n' });
    await loaded({ lookups: [lookup({ fold: 'upper' })] });
    expect(await symbols()).toEqual([' NEW', 'AAPL', 'MSFT', 'NEW']);
    expect(await rows()).toEqual(['1 AAPL 1', '2 AAPL 2', '3 NEW 3', '4  NEW 4']);
  });

  test('is NULL where it is NULL, if the target takes that', async () => {
    await scene.db.query(`create table ${scene.table}_more (day int primary key, company_id bigint,
                            price numeric)`);
    await scene.write({ 'a.csv': 'day,symbol,price\n1,,1\n2,"",2\n3,X,3\n' });
    await loaded({ table: `${scene.table}_more` });
    expect(await rows(`${scene.table}_more`)).toEqual(['1 - 1', '2  2', '3 X 3']);
    const report = await run();
    expect(filesOf(report)[0]?.error).toMatchObject({
      facts: { sqlState: '23502', line: 2, column: 'symbol' },
    });
  });

  test.for(['a.jsonl', 'a.json', 'a.parquet'])('comes from %s, too', async (name) => {
    const records = [
      { day: 1, symbol: 'aapl', price: '1' },
      { day: 2, symbol: 'neu', price: '2' },
    ];
    const text = (column: 'symbol' | 'price') => records.map((record) => record[column]);
    const content = name.endsWith('parquet')
      ? Buffer.from(
          parquetOf([
            { name: 'day', type: { kind: 'integer', bits: 32, signed: true }, texts: ['1', '2'] },
            { name: 'symbol', type: { kind: 'string' }, texts: text('symbol') },
            { name: 'price', type: { kind: 'string' }, texts: text('price') },
          ]),
        )
      : name.endsWith('json')
        ? JSON.stringify(records)
        : records.map((record) => JSON.stringify(record)).join('\n');
    await scene.write({ [name]: content });
    await loaded({ lookups: [lookup({ fold: 'upper' })] });
    expect(await rows()).toEqual(['1 AAPL 1', '2 NEU 2']);
  });

  test('is of any type, in any schema, with any id, and several are', async () => {
    const { table } = scene;
    await scene.db.query(`
      create schema "Other ${table}";
      create table "Other ${table}"."The Sites" ("Code" integer unique not null,
        "Ref" uuid primary key default gen_random_uuid());
      create table "Other ${table}".units (unit varchar(4) primary key);
      create table ${table}_more (day int primary key, site uuid, unit text)`);
    await scene.write({
      'a.csv': 'day,code,u\n1,7,kg\n2,"",m\n3,8,\n',
      'b.csv': 'day,code,u\n4,7,m\n',
    });
    const lookups = [
      lookup({
        column: 'code',
        table: `"Other ${table}"."The Sites"`,
        match: 'Code',
        into: 'site',
      }),
      lookup({ column: 'u', table: `"Other ${table}".units`, match: 'unit', into: 'unit' }),
    ];
    const report = await loaded({ table: `${table}_more`, lookups });
    expect(report.loads[0]?.lookups).toMatchObject([{ created: 2 }, { created: 2 }]);
    const sql = `select day, "Code" as code, unit from ${table}_more
                   left join "Other ${table}"."The Sites" on "Ref" = site order by day`;
    expect(await scene.db.query(sql)).toEqual([
      { day: 1, code: 7, unit: 'kg' },
      { day: 2, code: null, unit: 'm' },
      { day: 3, code: 8, unit: null },
      { day: 4, code: 7, unit: 'm' },
    ]);
    await scene.db.query(`drop schema "Other ${table}" cascade`);
  });

  test('is equal where the matched column says so', async () => {
    const { table } = scene;
    await scene.db.query(`
      create schema ext_${table}; create extension if not exists citext schema ext_${table};
      create table ${table}_tags (id int generated always as identity primary key,
        tag ext_${table}.citext unique);
      create table ${table}_more (day int primary key, tag_id int)`);
    await scene.write({ 'a.csv': 'day,tag\n1,Red\n2,RED\n3,blue\n', 'b.csv': 'day,tag\n4,Blue\n' });
    const lookups = [
      lookup({ column: 'tag', table: `${table}_tags`, match: 'tag', into: 'tag_id' }),
    ];
    const report = await loaded({ table: `${table}_more`, lookups });
    expect(report.loads[0]?.lookups).toMatchObject([{ created: 2 }]);
    const sql = `select count(distinct tag_id)::int as tags, count(tag_id)::int as n from ${table}_more`;
    expect(await scene.db.query(sql)).toEqual([{ tags: 2, n: 4 }]);
    await scene.db.query(`drop schema ext_${table} cascade`);
  });

  test('gives a table that is created the type of the id', async () => {
    await scene.write({ 'a.csv': 'day,symbol,price\n1,AAPL,1\n1,X,2\n' });
    await loaded({ table: `${scene.table}_fresh`, key: ['company_id', 'day'] });
    expect(await rows(`${scene.table}_fresh`)).toEqual(['1 AAPL 1', '1 X 2']);
    const sql = `select format_type(atttypid, atttypmod) as type from pg_attribute
                  where attrelid = '${scene.table}_fresh'::regclass and attname = 'company_id'`;
    expect(await scene.db.query(sql)).toEqual([{ type: 'bigint' }]);
  });

  test('is looked up in a table that an earlier load of the job creates', async () => {
    await scene.write({
      'sites.csv': 'code,name\nber,Berlin\n',
      'day.csv': 'day,code\n1,ber\n',
    });
    const [sites, days] = [`${scene.table}_sites`, `${scene.table}_days`];
    const { report } = await load(
      scene.db.url,
      {
        loads: [
          { table: sites, files: ['sites.csv'], key: ['code'] },
          {
            table: days,
            files: ['day.csv'],
            key: ['day'],
            lookups: [{ column: 'code', table: sites, match: 'code', into: 'site' }],
          },
        ],
      },
      { cwd: scene.folder },
    );
    expect(report.error).toBeNull();
    expect(await scene.db.query(`select * from ${days}`)).toEqual([{ day: '1', site: 'ber' }]);
  });
});

describe('a value that is not there', () => {
  const BAD = {
    'a.csv': 'day,symbol,price\n1,AAPL,1\n',
    'b.csv': 'day,symbol,price\n2,MSFT,2\n3,"NO\nSUCH",3\n4,NONE,4\n5,AAPL,5\n',
    'c.csv': 'day,symbol,price\n6,AAPL,6\n',
  };

  test.for(['full-parallel', 'sequential'] as const)('ends its file (%s)', async (strategy) => {
    await scene.write(BAD);
    const report = await run({ strategy, lookups: [lookup({ insertMissing: false })] });
    expect(report.status).toBe('failed');
    expect(statusesOf(report)).toEqual(['loaded', 'failed', 'not-loaded']);
    expect(filesOf(report)[1]?.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { file: 'b.csv', line: 3, column: 'symbol', value: 'NO\nSUCH' },
    });
    expect(await rows()).toEqual(['1 AAPL 1']);
    expect(await symbols()).toEqual(['AAPL', 'MSFT']);
  });

  test.for(['full-parallel', 'partitioned'] as const)(
    'goes to the reject file, and the other rows are loaded (%s)',
    async (strategy) => {
      await scene.write(BAD);
      const settings = { onError: 'quarantine' as const };
      const lookups = [lookup({ insertMissing: false })];
      const report = await run({ strategy, lookups, settings });
      expect(report.status).toBe('rejected-rows');
      expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 6, inserted: 4, rejected: 2 });
      expect(await rows()).toEqual(['1 AAPL 1', '2 MSFT 2', '5 AAPL 5', '6 AAPL 6']);
      const rejected = await readRejects(filesOf(report)[1]?.rejects ?? '');
      expect(rejected).toMatchObject([
        { etl_line: '3', etl_column: 'symbol', etl_raw: '3,"NO\nSUCH",3', day: '3' },
        { etl_line: '5', etl_column: 'symbol', symbol: 'NONE' },
      ]);
      expect(rejected[1]?.['etl_reason']).toContain('has the symbol "NONE"');
    },
  );

  test('is good once what it names is there, and its row corrected or tried again', async () => {
    await scene.write({
      'a.csv': 'day,symbol,price\n1,AAPL,1\n2,LATER,2\n3,WRONG,3\n4,NEVER,4\n',
      'b.csv': 'day,symbol,price\n2,LATER,9\n5,AAPL,5\n',
      'job.json': JSON.stringify(
        job({ lookups: [lookup({ insertMissing: false })], files: ['*.csv'] }),
      ),
    });
    const words = ['--config', 'job.json'];
    const end = await scene.run([...words, '--on-error', 'quarantine']);
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([3, { rejected: 4 }]);
    await scene.db.query(`insert into ${scene.table}_companies (symbol) values ('LATER')`);
    const path = filesOf(end.report)[0]?.rejects ?? '';
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(',3,WRONG,3', ',3,MSFT,3'));
    const again = await scene.run([...words, '--retry-rejects']);
    expect([again.code, again.error]).toMatchObject([3, null]);
    expect(await rows()).toEqual(['1 AAPL 1', '2 LATER 9', '3 MSFT 3', '5 AAPL 5']);
    expect(await readRejects(path)).toMatchObject([{ etl_line: '5', symbol: 'NEVER' }]);
  });

  test('tells the record of a JSON file, and the row of a Parquet file', async () => {
    const lookups = [lookup({ insertMissing: false })];
    await scene.write({
      'a.jsonl': '{"day":1,"symbol":"AAPL","price":1}\n{"day":2,"symbol":"X"}\n',
    });
    const json = await run({ lookups, files: ['a.jsonl'] });
    expect(filesOf(json)[0]?.error?.facts).toMatchObject({ line: 2, record: 2, value: 'X' });
    const symbol = { name: 'symbol', type: { kind: 'string' as const }, texts: ['AAPL', 'X'] };
    const day = { ...symbol, name: 'day', texts: ['1', '2'] };
    await scene.write({ 'a.parquet': Buffer.from(parquetOf([symbol, day])) });
    const parquet = await run({ lookups, files: ['a.parquet'] });
    expect(filesOf(parquet)[0]?.error?.facts).toMatchObject({
      line: 2,
      column: 'symbol',
      value: 'X',
    });
  });

  test('is a bad row where the other table refuses it', async () => {
    await scene.db.query(`alter table ${scene.table}_companies add check (symbol ~ '^[A-Z]+$')`);
    await scene.write({ 'a.csv': 'day,symbol,price\n1,B,1\n2,x1,2\n3,A,3\n4,y2,4\n5,B,5\n' });
    const stopped = await run();
    expect(filesOf(stopped)[0]?.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { line: 3, column: 'symbol', value: 'x1', sqlState: '23514' },
    });
    // Created before it was known; the next run finds them.
    expect(await symbols()).toEqual(['A', 'AAPL', 'B', 'MSFT']);
    await scene.db.query(`delete from ${scene.table}_companies where symbol in ('A', 'B')`);
    const report = await run({ settings: { onError: 'quarantine' } });
    expect(report.loads[0]).toMatchObject({
      totals: { inserted: 3, rejected: 2 },
      lookups: [{ created: 2 }],
    });
    expect(await rows()).toEqual(['1 B 1', '3 A 3', '5 B 5']);
    expect(await readRejects(filesOf(report)[0]?.rejects ?? '')).toMatchObject([
      { etl_line: '3', etl_sqlstate: '23514' },
      { etl_line: '5', etl_sqlstate: '23514' },
    ]);
  });

  test('is a bad row where a trigger keeps it out', async () => {
    await scene.db.query(`
      create function ${scene.table}_out() returns trigger language plpgsql as
        $$ begin if new.symbol = 'OUT' then return null; end if; return new; end $$;
      create trigger out before insert on ${scene.table}_companies
        for each row execute function ${scene.table}_out()`);
    await scene.write({ 'a.csv': 'day,symbol,price\n1,IN,1\n2,OUT,2\n' });
    const report = await run({ settings: { onError: 'quarantine' } });
    expect(report.loads[0]).toMatchObject({
      totals: { inserted: 1, rejected: 1 },
      lookups: [{ created: 1 }],
    });
    expect(await symbols()).toEqual(['AAPL', 'IN', 'MSFT']);
  });

  test('among small files of one unit ends the files from its own on', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 9 }, (_, n) => [
        `${n}.csv`,
        `day,symbol,price\n${n},${n === 5 ? 'NONE' : 'AAPL'},1\n`,
      ]),
    );
    await scene.write(files);
    const settings = { concurrency: 1 };
    const report = await run({ settings, lookups: [lookup({ insertMissing: false })] });
    expect(filesOf(report)[5]?.error?.facts).toMatchObject({ file: '5.csv', line: 2 });
    expect(statusesOf(report).slice(0, 6)).toEqual([...Array<string>(5).fill('loaded'), 'failed']);
    expect(await rows()).toEqual(['0 AAPL 1', '1 AAPL 1', '2 AAPL 1', '3 AAPL 1', '4 AAPL 1']);
    const rest = await run({
      settings: { ...settings, onError: 'quarantine' },
      lookups: [lookup({ insertMissing: false })],
    });
    expect(rest.loads[0]?.totals).toMatchObject({ inserted: 3, rejected: 1 });
  });
});

describe('many units that create the same values at once', () => {
  /** Each file names all symbols, in an order of its own. */
  async function writeMany(count: number, symbolsEach: number): Promise<void> {
    for (let file = 0; file < count; file++) {
      const lines = Array.from({ length: symbolsEach }, (_, n) => {
        const at = (n * 7919 + file * 104_729) % symbolsEach;
        return `${file},S${at},${n}`;
      });
      await scene.write({ [`${file}.csv`]: `day,symbol,price\n${lines.join('\n')}\n` });
    }
  }

  test.for(['full-parallel', 'partitioned', 'sequential'] as const)(
    'make each of them once, without a retry (%s)',
    { timeout: 60_000 },
    async (strategy) => {
      await writeMany(8, 1_009);
      const retried: RunEvent[] = [];
      const onEvent = (event: RunEvent): void => {
        if (event.kind === 'unit-retried') retried.push(event);
      };
      const settings = { concurrency: 4, threads: 'always' as const };
      const report = await loaded({ strategy, settings }, { threads: true, onEvent });
      expect(retried).toEqual([]);
      expect(report.loads[0]).toMatchObject({
        totals: { rowsRead: 8 * 1_009, inserted: 8 * 1_009 },
        lookups: [{ created: 1_009 }],
      });
      const sql = `select count(*)::int as rows, count(distinct symbol)::int as symbols,
                          sum(price)::int as sum
                     from ${scene.table} join ${scene.table}_companies c on c.id = company_id`;
      expect(await scene.db.query(sql)).toEqual([
        { rows: 8 * 1_009, symbols: 1_009, sum: 8 * ((1_009 * 1_008) / 2) },
      ]);
    },
  );
});

describe('verify', () => {
  async function compared() {
    const { tables } = await verify(defineJob(job(), scene.folder), {
      databaseUrl: scene.db.url,
      wholeTable: true,
      cwd: scene.folder,
      log: silentLog,
      now: () => 0,
    });
    return tables[0];
  }

  test('looks up as the load did, creates nothing, and tells what it could not find', async () => {
    await scene.write({ 'a.csv': 'day,symbol,price\n1,AAPL,1\n1,NEW,2\n2,NEW,3\n' });
    await loaded();
    expect(await compared()).toMatchObject({ equal: true, keys: 3, notices: [] });
    await scene.db.query(`update ${scene.table} set price = 9 where day = 2`);
    expect(await compared()).toMatchObject({ equal: false, changed: 1 });
    await scene.db.query(`delete from ${scene.table} where day = 2 or price = 2;
                          delete from ${scene.table}_companies where symbol = 'NEW'`);
    const without = await compared();
    expect(without).toMatchObject({ equal: true, keys: 1 });
    expect(without?.notices.join(' ')).toContain('2 rows are left out');
    expect(await symbols()).toEqual(['AAPL', 'MSFT']);
  });
});

describe('the plan refuses', () => {
  const COMPANIES = 'day,symbol,price\n1,AAPL,1\n';
  test.for<[string, string, (table: string) => Partial<Lookup>, string, string]>([
    [
      'a table that is missing',
      '',
      () => ({ table: 'nowhere' }),
      'ETL_TABLE_MISSING',
      'create table',
    ],
    [
      'a column that no file has',
      '',
      () => ({ column: 'symbl' }),
      'ETL_COLUMN_MISSING',
      '"symbol"',
    ],
    [
      'a column that the table lacks',
      '',
      () => ({ match: 'symbols' }),
      'ETL_COLUMN_MISSING',
      'symbols',
    ],
    [
      'a match without a unique index',
      'alter table T_companies drop constraint T_companies_symbol_key',
      () => ({}),
      'ETL_KEY_INVALID',
      'create unique index',
    ],
    [
      'an id that may be NULL',
      'alter table T_companies add other int',
      () => ({ id: 'other' }),
      'ETL_KEY_INVALID',
      'set not null',
    ],
    ['an id of another type', '', () => ({ id: 'created_at' }), 'ETL_COLUMN_TYPE', 'company_id'],
    [
      'a case of what has none',
      '',
      () => ({ match: 'id', fold: 'upper' as const }),
      'ETL_COLUMN_TYPE',
      'case',
    ],
    [
      'to create what needs more',
      `alter table T_companies add name text not null default '';
       alter table T_companies alter name drop default`,
      () => ({}),
      'ETL_COLUMN_MISSING',
      'default',
    ],
    [
      'its own target',
      'alter table TARGET add unique (day)',
      (table) => ({ table: `public.${table}`, match: 'day', id: 'day', insertMissing: false }),
      'ETL_USAGE',
      'looked up',
    ],
  ])('%s', async ([, ddl, more, code, words]) => {
    const statement = ddl.replaceAll('TARGET', scene.table).replaceAll('T_', `${scene.table}_`);
    if (ddl !== '') await scene.db.query(statement);
    await scene.write({ 'a.csv': COMPANIES });
    const error = await refused({ lookups: [lookup(more(scene.table))] });
    expect(error).toMatchObject({ record: { code: expect.stringContaining(code) as string } });
    const { message } = error as Error;
    expect(message).toContain(words);
    expect(await rows()).toEqual([]);
  });
});
