import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/run/events.ts';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import { load } from '../support/load.ts';
import { filesOf } from '../support/scene.ts';
import { parquetOf } from '../support/twin-files.ts';
import { useLookups } from '../support/lookups-scene.ts';

/** Columns of the files that stand for a row of another table, whose id the target gets. */
const { scene, lookup, job, run, loaded, rows, symbols } = useLookups();

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
