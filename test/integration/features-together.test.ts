import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verify } from '../../src/check/verify/verify.ts';
import type { ErrorRecord } from '../../src/errors.ts';
import { defineJob, type JobInput } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import type { Report } from '../../src/run/report-types.ts';
import { load } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';
import { readRejects } from '../support/rejects.ts';
import { filesOf, useScene } from '../support/scene.ts';
import { parquetOf } from '../support/twin-files.ts';

/** Lookups, several targets, documents and transforms, each with the others. */
const scene = useScene(
  (table) => `
    create table ${table}_companies (id int generated always as identity primary key,
      symbol text not null unique, name text not null check (name <> 'bad'), rating int);
    create table ${table} (k int primary key, company_id int references ${table}_companies, v text);
    create table ${table}_raw (k text, symbol text, v text);
    create table ${table}_latest (company_id int primary key, v text)`,
);

type Load = JobInput['loads'][number];
type Lookup = NonNullable<Load['lookups']>[number];

function lookup(more: Partial<Lookup> = {}): Lookup {
  return {
    ...{ column: 'symbol', table: `${scene.table}_companies`, match: 'symbol', into: 'company_id' },
    ...{ insertMissing: true, set: { name: 'name', rating: 'rating' } },
    ...more,
  };
}

const raw = () => ({ table: `${scene.table}_raw`, onConflict: 'append' as const });
const latest = () => ({ table: `${scene.table}_latest` });

function jobOf(more: Partial<Load> & { settings?: JobInput['settings'] } = {}): JobInput {
  const { settings = {}, ...rest } = more;
  const rejects = join(scene.folder, 'rejects');
  return {
    settings: { concurrency: 3, rejects, ...settings },
    loads: [
      {
        ...{ table: scene.table, files: ['*.*'], lookups: [lookup()] },
        ...{ targets: [raw(), latest()], ...rest },
      },
    ],
  };
}

async function run(job: JobInput): Promise<Report> {
  return (await load(scene.db.url, job, { cwd: scene.folder })).report;
}

async function loaded(job: JobInput): Promise<Report> {
  const report = await run(job);
  expect([report.error, report.status]).toEqual([null, 'loaded']);
  return report;
}

async function words(sql: string): Promise<string[]> {
  const rows = await scene.db.query(`select concat_ws(' ', ${sql}`);
  return rows.map((row) => String(Object.values(row)[0])).sort();
}

const own = () =>
  words(`k, coalesce(symbol, '-'), v) from ${scene.table}
           left join ${scene.table}_companies c on c.id = company_id`);
const rawRows = () => words(`k, symbol, v) from ${scene.table}_raw`);
const latestRows = () =>
  words(
    `symbol, v) from ${scene.table}_latest join ${scene.table}_companies c on c.id = company_id`,
  );
const companies = () => words(`symbol, name, rating) from ${scene.table}_companies`);

async function expectVerified(job: JobInput): Promise<void> {
  const told = await verify(defineJob(job, scene.folder), {
    ...{ databaseUrl: scene.db.url, wholeTable: false, cwd: scene.folder },
    ...{ log: silentLog, now: () => 0 },
  });
  expect(told).toMatchObject({ equal: true });
}

const RECORDS = [
  { k: '1', symbol: 'AA', name: 'first', rating: '1', v: 'x' },
  { k: '2', symbol: 'BB', name: 'second', rating: '2', v: 'y' },
  { k: '1', symbol: 'AA', name: 'other', rating: '3', v: 'z' },
];
const text = (kind: 'string') => ({ kind });

describe('lookups with several targets', () => {
  test.for(['a.csv', 'a.jsonl', 'a.parquet'])('take %s', async (file) => {
    const columns = ['k', 'symbol', 'name', 'rating', 'v'] as const;
    const lines = RECORDS.map((row) => columns.map((name) => row[name]).join(','));
    const content = file.endsWith('csv')
      ? [columns.join(','), ...lines, ''].join('\n')
      : file.endsWith('jsonl')
        ? RECORDS.map((row) => JSON.stringify(row)).join('\n')
        : Buffer.from(
            parquetOf(
              columns.map((name) => ({
                ...{ name, type: text('string') },
                texts: RECORDS.map((row) => row[name]),
              })),
            ),
          );
    await scene.write({ [file]: content });
    const report = await loaded(jobOf());
    expect(await own()).toEqual(['1 AA z', '2 BB y']);
    expect(await rawRows()).toEqual(['1 AA x', '1 AA z', '2 BB y']);
    expect(await latestRows()).toEqual(['AA z', 'BB y']);
    expect(await companies()).toEqual(['AA first 1', 'BB second 2']);
    expect(report.loads[0]).toMatchObject({
      lookups: [{ table: `public.${scene.table}_companies`, created: 2 }],
      targets: [{ inserted: 3 }, { inserted: 2, superseded: 1 }],
    });
    await expectVerified(jobOf());
  });

  test('may be of a further table alone', async () => {
    await scene.db.query(`create table ${scene.table}_log (k int, symbol text, v text)`);
    await scene.write({ 'a.csv': 'k,symbol,name,rating,v\n1,AA,first,1,x\n2,AA,other,2,y\n' });
    const table = `${scene.table}_log`;
    await loaded(jobOf({ table, onConflict: 'append', targets: [latest()] }));
    expect(await words(`k, symbol, v) from ${table}`)).toEqual(['1 AA x', '2 AA y']);
    expect(await latestRows()).toEqual(['AA y']);
    const unused = run(jobOf({ table, onConflict: 'append', targets: [raw()] }));
    await expect(unused).rejects.toMatchObject({
      record: { code: 'ETL_COLUMN_MISSING', facts: { column: 'company_id' } },
    });
  });

  test('give their id to conditions, and to tables that are made', async () => {
    await scene.write({ 'a.csv': 'k,symbol,name,rating,v\n1,AA,first,1,x\n2,BB,other,2,y\n' });
    const made = {
      table: `${scene.table}_made`,
      key: ['company_id'],
      columns: { symbol: 'company_id', v: 'v' },
      where: 'company_id > 1',
    };
    await loaded(jobOf({ targets: [made] }));
    expect(await words(`company_id, v) from ${scene.table}_made`)).toEqual(['2 y']);
    const [type] = await scene.db.query(
      `select format_type(atttypid, null) as type from pg_attribute
        where attrelid = '${scene.table}_made'::regclass and attname = 'company_id'`,
    );
    expect(type).toEqual({ type: 'integer' });
  });

  test('take what a transform gives, for each of the tables', async () => {
    await scene.write({
      'split.mjs': `export default {
        columns: { symbol: 'text', name: 'text', rating: 'int', v: 'text' },
        transform: (rows) => rows.map(({ line }) => {
          const [symbol, name, rating, v] = line.split(' ');
          return { symbol, name, rating, v };
        }),
      }`,
      'a.csv': 'k,line\n1,AA first 1 x\n2,BB second 2 y\n3,AA other 9 z\n',
    });
    const made = { table: `${scene.table}_made`, key: ['k'], columns: { k: 'k', rating: 'r' } };
    const job = jobOf({
      ...{ files: ['*.csv'], transform: 'split.mjs', columns: { line: null } },
      targets: [raw(), latest(), made],
    });
    await loaded(job);
    expect(await own()).toEqual(['1 AA x', '2 BB y', '3 AA z']);
    expect(await latestRows()).toEqual(['AA z', 'BB y']);
    expect(await companies()).toEqual(['AA first 1', 'BB second 2']);
    expect(await words(`pg_typeof(r), r) from ${scene.table}_made`)).toEqual([
      ...['integer 1', 'integer 2', 'integer 9'],
    ]);
    await expectVerified(job);
  });
});

describe('a row that is created of several columns', () => {
  test('is refused with the line of the first row that has none of it', async () => {
    await scene.write({ 'a.csv': 'k,symbol,name,rating,v\n1,AA,first,1,x\n2,BB,bad,2,y\n' });
    const report = await run(jobOf({ targets: [] }));
    expect(filesOf(report)[0]?.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { file: 'a.csv', line: 3, column: 'symbol', value: 'BB', sqlState: '23514' },
    });
    expect(await own()).toEqual([]);
  });

  test('is made of the first row that is good, and those before it are rejected', async () => {
    await scene.write({
      'a.csv': 'k,symbol,name,rating,v\n1,AA,bad,1,x\n2,AA,good,2,y\n3,AA,bad,3,z\n',
      'b.csv': 'k,symbol,name,rating,v\n4,AA,late,4,x\n',
    });
    const settings = { onError: 'quarantine' } as const;
    const report = await run(jobOf({ settings, targets: [raw()] }));
    expect(report.status).toBe('rejected-rows');
    expect(await own()).toEqual(['2 AA y', '3 AA z', '4 AA x']);
    expect(await rawRows()).toEqual(['2 AA y', '3 AA z', '4 AA x']);
    expect(await companies()).toEqual(['AA good 2']);
    const path = filesOf(report)[0]?.rejects ?? '';
    expect(await readRejects(path)).toMatchObject([{ etl_line: '2' }]);
    const retried = await load(scene.db.url, jobOf({ settings, targets: [] }), {
      ...{ cwd: scene.folder, retryRejects: true },
    }).then(
      ({ report: again }) => again.error,
      (error: unknown) => (error as { record: ErrorRecord }).record,
    );
    expect(retried).toMatchObject({ code: 'ETL_USAGE' });
    expect(retried?.sentence).toContain('create rows of several columns (set)');
  });

  test('needs all that the table needs, and none that it makes itself', async () => {
    await scene.write({ 'a.csv': 'k,symbol,rating,v\n1,AA,1,x\n' });
    const set = { rating: 'rating' };
    await expect(run(jobOf({ lookups: [lookup({ set })] }))).rejects.toMatchObject({
      record: { code: 'ETL_COLUMN_MISSING', facts: { column: 'name' } },
    });
    const generated = run(jobOf({ lookups: [lookup({ set: { id: 'k', name: 'v' } })] }));
    await expect(generated).rejects.toMatchObject({ record: { code: 'ETL_COLUMN_TYPE' } });
    const unknown = run(jobOf({ lookups: [lookup({ set: { name: 'nam' } })] }));
    await expect(unknown).rejects.toMatchObject({
      record: { code: 'ETL_COLUMN_MISSING', facts: { column: 'nam' } },
    });
  });
});

describe('a value that is required', () => {
  test('makes a row without one bad, with its line', async () => {
    await scene.write({ 'a.csv': 'k,symbol,name,rating,v\n1,AA,a,1,x\n2,,b,2,y\n' });
    expect(await run(jobOf({ targets: [] }))).toMatchObject({ status: 'loaded' });
    expect(await own()).toEqual(['1 AA x', '2 - y']);
    await scene.write({ 'b.csv': 'k,symbol,name,rating,v\n3,AA,a,1,x\n4,,b,2,y\n' });
    const lookups = [lookup({ required: true })];
    const report = await run(jobOf({ targets: [], lookups, files: ['b.csv'] }));
    expect(filesOf(report)[0]?.error).toMatchObject({
      facts: { file: 'b.csv', line: 3, column: 'symbol' },
    });
    const settings = { onError: 'quarantine' } as const;
    await run(jobOf({ targets: [], lookups, files: ['b.csv'], settings }));
    expect(await own()).toEqual(['1 AA x', '2 - y', '3 AA x']);
  });

  test('is NULL where it need not be found, and stays so for etl verify', async () => {
    await scene.db.query(
      `insert into ${scene.table}_companies (symbol, name) values ('AA', 'known')`,
    );
    await scene.write({ 'a.csv': 'k,symbol,v\n1,AA,x\n2,BB,y\n3,,z\n' });
    const optional = { insertMissing: false, set: {}, required: false };
    const job = jobOf({ targets: [], lookups: [lookup(optional)] });
    await loaded(job);
    expect(await own()).toEqual(['1 AA x', '2 - y', '3 - z']);
    await expectVerified(job);
    const targets = [latest()];
    await expect(run(jobOf({ targets, lookups: [lookup(optional)] }))).rejects.toMatchObject({
      record: { code: 'ETL_USAGE', facts: { column: 'company_id' } },
    });
  });
});

/** A document: its company and key are in its path, its content is text. */
const page = fc.record({
  symbol: fc.constantFrom('AA', 'BB', 'cc', 'CC', 'XX'),
  site: fc.constantFrom('one', 'two', 'bad'),
  k: fc.integer({ min: 1, max: 4 }),
  content: fc.constantFrom('', 'x', 'tab\tline\n\\', 'ä'),
});
const pages = fc.record({
  pages: fc.array(page, { minLength: 1, maxLength: 20 }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  strategy: fc.constantFrom('auto', 'full-parallel', 'hybrid', 'sequential'),
  insertMissing: fc.boolean(),
});

test('documents go to several tables, with lookups, as if each had come alone', async () => {
  const { db } = scene;
  let cases = 0;
  const property = fc.asyncProperty(pages, async (drawn) => {
    const { table } = scene;
    await db.query(`truncate ${table}, ${table}_companies, ${table}_raw, ${table}_latest;
                    insert into ${table}_companies (symbol, name) values ('AA', 'known')`);
    const folder = `lake-${++cases}`;
    await mkdir(join(scene.folder, folder));
    for (const [n, { symbol, site, k, content }] of drawn.pages.entries()) {
      const name = `${String(n).padStart(2, '0')}_${symbol}_${site}_${k}.html`;
      await writeFile(join(scene.folder, folder, name), content);
    }
    const { insertMissing, concurrency, strategy } = drawn;
    const job = jobOf({
      ...{ files: [`${folder}/*.html`], strategy },
      settings: { concurrency, onError: 'quarantine' },
      documents: { path: '{n}_{symbol}_{site}_{k}.html', columns: { v: 'content' } },
      columns: { n: null, ...(insertMissing ? {} : { site: null }) },
      lookups: [
        lookup({ insertMissing, fold: 'upper', set: insertMissing ? { name: 'site' } : {} }),
      ],
    });
    const report = await run(job);
    expect(report.error).toBeNull();
    const known = new Map([['AA', 'known']]);
    const good = drawn.pages.filter(({ symbol: written, site }) => {
      const symbol = written.toUpperCase();
      if (known.has(symbol)) return true;
      if (!insertMissing || site === 'bad') return false;
      known.set(symbol, site);
      return true;
    });
    expect(report.loads[0]?.totals.rejected).toBe(drawn.pages.length - good.length);
    const last = (key: (one: (typeof good)[number]) => string, value: typeof key): string[] =>
      [...new Map(good.map((one) => [key(one), value(one)])).values()].sort();
    const upper = ({ symbol }: { symbol: string }): string => symbol.toUpperCase();
    expect(await own()).toEqual(
      last(
        ({ k }) => String(k),
        (one) => `${one.k} ${upper(one)} ${one.content}`,
      ),
    );
    expect(await rawRows()).toEqual(
      good.map((one) => `${one.k} ${one.symbol} ${one.content}`).sort(),
    );
    expect(await latestRows()).toEqual(last(upper, (one) => `${upper(one)} ${one.content}`));
    expect(await words(`symbol, name) from ${table}_companies`)).toEqual(
      [...known].map(([symbol, name]) => `${symbol} ${name}`).sort(),
    );
  });
  await checkProperty('test/integration/features-together.test.ts', property, 25);
}, 200_000);
