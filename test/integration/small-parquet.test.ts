import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/run/report-types.ts';
import { planJob, runPlan } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';
import { sentDuring } from '../support/sent-statements.ts';

/** Small Parquet files of a unit are copied together; nobody may see that but by the clock. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name text, day date,
                amount int check (amount >= 0))`,
);

type LoadJob = Parameters<typeof planJob>[1]['loads'][number];
type Row = readonly [id: number | bigint | null, name: string | null, more?: number | string];

interface Loaded {
  readonly report: Report;
  readonly units: number;
  /** Statements of the run, in order; its sessions are on this thread. */
  readonly statements: readonly string[];
}

async function load(job: Partial<LoadJob> = {}, settings = {}): Promise<Loaded> {
  const loads = [{ table: scene.table, files: ['*'], ...job }] as LoadJob[];
  const plan = await planJob(
    scene.db.url,
    { settings: { concurrency: 1, rejects: 'rejects', ...settings }, loads },
    { cwd: scene.folder },
  );
  const { ended: report, statements } = await sentDuring(() => runPlan(scene.db.url, plan, {}));
  return { report, units: plan.loads[0]?.units.length ?? 0, statements };
}

function copies({ statements }: Loaded): string[] {
  return statements.filter((sql) => /^copy .* from stdin/.test(sql));
}

async function rows(columns = 'id, name'): Promise<string[]> {
  const found = await scene.db.query(
    `select concat_ws(' ', ${columns}) as row from ${scene.table} order by id`,
  );
  return found.map(({ row }) => String(row));
}

/** `more`: a third column, whatever it is called. */
function parquet(own: readonly Row[], more: 'amount' | 'day' | null = null): Buffer {
  const columnData = [
    { name: 'id', data: own.map(([id]) => (id === null ? null : BigInt(id))), type: 'INT64' },
    { name: 'name', data: own.map(([, name]) => name), type: 'STRING' },
    ...(more === null
      ? []
      : [
          {
            ...{ name: more, data: own.map((row) => row[2] ?? null) },
            type: more === 'amount' ? 'INT32' : 'STRING',
          },
        ]),
  ] as Parameters<typeof parquetWriteBuffer>[0]['columnData'];
  return Buffer.from(
    parquetWriteBuffer({ columnData, rowGroupSize: Math.ceil(own.length / 2) || 1 }),
  );
}

/** Files `f000.parquet` …, each with a row of its own and row 0, which the last one wins. */
function manyFiles(count: number): Record<string, Buffer> {
  const names = Array.from({ length: count }, (_, place) => `f${String(place).padStart(3, '0')}`);
  return Object.fromEntries(
    names.map((name, place) => {
      const own = [[0, name] as const, [place + 1, name] as const, [0, `${name} last`] as const];
      return [`${name}.parquet`, parquet(own)];
    }),
  );
}

describe('one COPY for many files', () => {
  test.for([
    ['upserted', {}, 'pg_temp'],
    ['appended', { onConflict: 'append' }, '"public"'],
    ['partitioned', { strategy: 'partitioned' }, '"etl"'],
  ] as const)('%s', async ([, job, into]) => {
    const { db, table } = scene;
    await db.query(`drop table ${table}; create table ${table} (id bigint, name text)`);
    const appends = 'onConflict' in job;
    if (!appends) await db.query(`alter table ${table} add primary key (id)`);
    const cost = async (count: number): Promise<number> => {
      await db.query(`truncate ${table}; drop schema if exists etl cascade`);
      await scene.write(manyFiles(count));
      const loaded = await load(job);
      expect(new Set(statusesOf(loaded.report))).toEqual(new Set(['loaded']));
      expect(copies(loaded)).toHaveLength(loaded.units);
      expect(copies(loaded).every((sql) => sql.startsWith(`copy ${into}`))).toBe(true);
      expect(loaded.report.loads[0]?.totals.rowsRead).toBe(3 * count);
      return loaded.statements.length;
    };
    const [few, many] = [await cost(20), await cost(120)];
    expect(many).toBe(few);
    const zeros = await db.query(`select name from ${table} where id = 0`);
    expect(zeros.length).toBe(appends ? 240 : 1);
    if (!appends) expect(zeros).toEqual([{ name: 'f119 last' }]);
    const [ledger] = await db.query(
      `select count(*)::int as files, count(distinct content_hash)::int as hashes,
              sum(rows_read)::int as rows from etl.ledger`,
    );
    expect(ledger).toEqual({ files: 120, hashes: 120, rows: 360 });
  });

  test('into a table that is made, without rows, with types that differ, with CSV between', async () => {
    await scene.write({
      'a.parquet': parquet([[1, 'a']]),
      'b.parquet': parquet([]),
      'c.parquet': parquet([
        [2, 'c'],
        [1, null],
      ]),
      'd.csv': 'id,name\n2,d\n3,d\n',
      'e.parquet': parquet([[3, 'e']]),
      'f.parquet': parquet([[4, 'f']]),
    });
    const loaded = await load();
    expect(statusesOf(loaded.report)).toEqual(Array(6).fill('loaded'));
    expect(await rows()).toEqual(['1', '2 d', '3 e', '4 f']);
    expect(copies(loaded).length).toBeLessThan(6);
  });

  test('where values are cast, which is tried once for all of them', async () => {
    const file = (id: number, day: string): Buffer => parquet([[id, 'n', day]], 'day');
    const good = Object.fromEntries(
      Array.from({ length: 10 }, (_, id) => [`${id}.parquet`, file(id, `2024-02-1${id}`)]),
    );
    await scene.write(good);
    const loaded = await load();
    expect(copies(loaded)).toHaveLength(loaded.units);
    expect(loaded.statements.filter((sql) => /^select count\(.*::/.test(sql))).toHaveLength(
      loaded.units,
    );
    expect(await rows('day')).toEqual(Array.from({ length: 10 }, (_, id) => `2024-02-1${id}`));
    await scene.write({ '7.parquet': file(7, 'Tuesday') });
    const { report } = await load({}, {});
    expect(filesOf(report).find(({ status }) => status === 'failed')?.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { file: '7.parquet', line: 1, column: 'day', value: 'Tuesday' },
    });
  });

  test('not for one that is large, or that is no Parquet at all', async () => {
    const large = Array.from({ length: 40_000 }, (_, id): Row => [id + 10, `n${id * 7919}`]);
    await scene.write({
      'a.parquet': parquet([[1, 'a']]),
      'b.parquet': parquet([...large, [1, 'b']]),
      'c.parquet': parquet([[1, 'c']]),
      'd.parquet': parquet([[2, 'd']]),
    });
    const loaded = await load();
    expect(statusesOf(loaded.report)).toEqual(Array(4).fill('loaded'));
    expect((await rows()).slice(0, 3)).toEqual(['1 c', '2 d', '10 n0']);
  });
});

describe('a bad file among good ones', () => {
  const good = {
    'a.parquet': parquet([[1, 'a', 1]], 'amount'),
    'b.parquet': parquet(
      [
        [1, 'b', 1],
        [2, 'b', 1],
      ],
      'amount',
    ),
    'd.parquet': parquet([[4, 'd', 1]], 'amount'),
    'e.parquet': parquet([[5, 'e', 1]], 'amount'),
  };
  const bad = (row: Row): Buffer => parquet([[3, 'c', 1], row, [6, 'c', 1]], 'amount');

  test.for([
    ['that the encoder refuses', [3_000_000_000, 'x', 1], { line: 2, column: 'id' }],
    ['that COPY refuses', [7, 'x\0', 1], { line: 2, column: 'name', sqlState: '22021' }],
    ['that the table refuses', [7, 'x', -1], { sqlState: '23514' }],
  ] as const)('for a row %s: it is named, those before it are loaded', async ([, row, facts]) => {
    await scene.write({ ...good, 'c.parquet': bad(row) });
    const { report } = await load({ strategy: 'sequential' });
    expect(report.error?.facts).toMatchObject({ file: 'c.parquet', ...facts });
    expect(statusesOf(report).slice(0, 3)).toEqual(['loaded', 'loaded', 'failed']);
    expect(await rows()).toEqual(['1 b', '2 b']);
    await scene.write({ 'c.parquet': bad([7, 'x', 1]) });
    const again = await load({ strategy: 'sequential' });
    expect(statusesOf(again.report).slice(0, 3)).toEqual(['skipped', 'skipped', 'loaded']);
    expect(await rows()).toEqual(['1 b', '2 b', '3 c', '4 d', '5 e', '6 c', '7 x']);
  });

  test('gives its bad rows to a reject file of its own, by their numbers in it', async () => {
    await scene.write({
      ...good,
      'c.parquet': bad([3_000_000_000, 'x', 1]),
      'd.parquet': bad([7, 'x', -1]),
    });
    const { report } = await load({}, { onError: 'quarantine' });
    expect(report).toMatchObject({ status: 'rejected-rows', error: null });
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 10, rejected: 2 });
    const [, , c, d] = filesOf(report);
    expect(await readRejects(c?.rejects ?? '')).toMatchObject([
      { etl_record: '2', id: '3000000000' },
    ]);
    expect(await readRejects(d?.rejects ?? '')).toMatchObject([{ etl_record: '2', amount: '-1' }]);
    expect(await rows()).toEqual(['1 b', '2 b', '3 c', '5 e', '6 c']);
  });

  test('is told by the row of its own whose value is not looked up', async () => {
    const { db, table } = scene;
    await db.query(`create table colours_${table} (id int primary key, name text unique);
                    insert into colours_${table} values (1, 'red');
                    alter table ${table} add colour int`);
    await scene.write({
      'a.parquet': parquet([
        [1, 'red'],
        [2, 'red'],
        [3, 'red'],
      ]),
      'b.parquet': parquet([
        [4, 'red'],
        [5, 'blue'],
      ]),
      'c.parquet': parquet([[6, 'red']]),
      'd.parquet': parquet([[7, 'red']]),
    });
    const lookups = [
      { column: 'name', table: `colours_${table}`, match: 'name', id: 'id', into: 'colour' },
    ];
    const job = { lookups, strategy: 'sequential' as const };
    const loaded = await load(job);
    expect(loaded.report.error).toMatchObject({
      facts: { file: 'b.parquet', line: 2, column: 'name', value: 'blue' },
    });
    expect(copies(loaded).length).toBeLessThan(4);
    expect(await rows('id, colour')).toEqual(['1 1', '2 1', '3 1']);
  });

  test('may be one that is gone, or no Parquet any more', async () => {
    await scene.write({ ...good, 'c.parquet': bad([7, 'c', 1]) });
    const plan = await planJob(
      scene.db.url,
      {
        settings: { concurrency: 1 },
        loads: [{ table: scene.table, files: ['*'], strategy: 'sequential' }],
      },
      { cwd: scene.folder },
    );
    await rm(join(scene.folder, 'c.parquet'));
    const report = await runPlan(scene.db.url, plan, {});
    expect(statusesOf(report).slice(0, 3)).toEqual(['loaded', 'loaded', 'failed']);
    expect(report.error?.facts).toMatchObject({ file: 'c.parquet' });
  });
});
