import { beforeEach, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/run/events.ts';
import { tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';
import { sentDuring } from '../support/sent-statements.ts';

/** Every strategy at every concurrency, on real threads, leaves the oracle's table. */
const columns = (table: string): string =>
  `create table ${table} (id int primary key, name text, n int);
   insert into ${table} values (3, 'held', 3), (200, 'held', 200);`;
const scene = useScene((table) => `${columns(table)} ${columns(`${table}_oracle`)}`);

/** The first four share keys with their neighbours, the last two with nobody. */
const FILES: readonly OracleFile[] = [
  ...overlappingFiles(4, 20, 10),
  ...overlappingFiles(8, 20, 100).slice(6),
];

async function oracle(
  files: readonly OracleFile[],
  key: readonly string[] = ['id'],
): Promise<unknown> {
  const table = `${scene.table}_oracle`;
  await loadInBatches(
    scene.db,
    { table, columns: files[0]?.columns ?? [], key, onConflict: 'update', versionColumn: null },
    files,
  );
  return scene.db.query(tableDigest(table));
}

async function digest(): Promise<unknown> {
  return scene.db.query(tableDigest(scene.table));
}

describe.for(['full-parallel', 'hybrid', 'sequential', 'partitioned'] as const)(
  '%s',
  (strategy) => {
    test.for([1, 2, 5])('with %i workers', async (workers) => {
      await scene.write(csvFiles(FILES));
      const events: RunEvent[] = [];
      const words = ['*.csv', '--strategy', strategy, '--concurrency', String(workers)];
      const end = await scene.run(words, { threads: true, onEvent: (event) => events.push(event) });
      expect([end.code, end.error]).toEqual([0, null]);
      expect(statusesOf(end.report)).toEqual(FILES.map(() => 'loaded'));
      const load = end.report?.loads[0];
      expect(load?.strategy).toBe(strategy);
      const {
        rowsRead = 0,
        inserted = 0,
        updated = 0,
        unchanged = 0,
        superseded = 0,
      } = load?.totals ?? {};
      expect(rowsRead).toBe(120);
      expect(inserted + updated + unchanged + superseded).toBe(120);
      expect(await digest()).toEqual(await oracle(FILES));
      const [held] = await scene.db.query(`select count(*)::int as n from ${scene.table}`);
      expect(inserted).toBe(Number(held?.['n']) - 2);
      if (strategy === 'sequential') {
        const merged = events.flatMap((event) => (event.kind === 'file-merging' ? event.file : []));
        expect(merged).toEqual([0, 1, 2, 3, 4, 5]);
      }
    });
  },
);

test('hybrid predicts the pairs that share keys, and only these', async () => {
  await scene.write(csvFiles(FILES));
  const events: RunEvent[] = [];
  const words = ['*.csv', '--strategy', 'hybrid', '--concurrency', '6'];
  const end = await scene.run(words, { onEvent: (event) => events.push(event) });
  expect(end.code).toBe(0);
  const [started] = events.flatMap((event) => (event.kind === 'load-started' ? event.plan : []));
  const edges = started?.conflicts.map(({ before, after }) => [before, after]);
  expect(edges).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  expect(await digest()).toEqual(await oracle(FILES));
});

test('a key of several columns, whose parts meet where the whole does not', async () => {
  const { db, table } = scene;
  for (const name of [table, `${table}_oracle`]) {
    await db.query(`drop table ${name}`);
    await db.query(
      `create table ${name} (region text, day date, n int, note text, primary key (region, day))`,
    );
  }
  const names = ['note', 'day', 'n', 'region'];
  const files = ['north', 'south', 'north', 'east'].map((region, file) => ({
    columns: names,
    rows: Array.from({ length: 20 }, (_, row) => [
      `f${file}`,
      `2024-01-${String(1 + ((row + file * 5) % 28)).padStart(2, '0')}`,
      String(row),
      row % 4 === 0 ? 'all' : region,
    ]),
  }));
  await scene.write(csvFiles(files));
  const words = ['*.csv', '--key', 'day,region', '--strategy', 'full-parallel'];
  const end = await scene.run([...words, '--concurrency', '4']);
  expect([end.code, end.report?.loads[0]?.key]).toEqual([0, ['region', 'day']]);
  expect(await digest()).toEqual(await oracle(files, ['region', 'day']));
});

describe('what couples rows is loaded in order', () => {
  beforeEach(async () => {
    await scene.db.query(`truncate ${scene.table}`);
  });

  test('a row trigger: each row has the history of the sequential load', async () => {
    const { db, table } = scene;
    await db.query(
      `create or replace function remember() returns trigger language plpgsql as
         $$ begin new.name = coalesce(old.name, '') || new.name; return new; end $$`,
    );
    await db.query(
      `create trigger remember before update on ${table} for each row execute function remember()`,
    );
    const one = (file: number): string => `id,name,n\n1,${file},${file}\n${file + 10},x,0\n`;
    const files = Array.from({ length: 6 }, (_, file) => [`f${file}.csv`, one(file)] as const);
    await scene.write(Object.fromEntries(files));
    const end = await scene.run(['*.csv', '--concurrency', '3']);
    expect([end.code, end.report?.loads[0]?.strategy]).toEqual([0, 'sequential']);
    expect(end.report?.loads[0]?.reason).toContain('row trigger remember could make the order');
    expect(await db.query(`select name, n from ${table} where id = 1`)).toEqual([
      { name: '012345', n: 5 },
    ]);
    expect(end.report?.loads[0]?.totals).toMatchObject({ rowsRead: 12, inserted: 7, updated: 5 });
    const refused = await scene.run(['*.csv', '--strategy', 'full-parallel', '--force']);
    expect([refused.code, refused.error?.code]).toEqual([2, 'ETL_USAGE']);
  });

  test('another unique index: a value moves from row to row without a clash', async () => {
    const { db, table } = scene;
    await db.query(`create unique index ${table}_name on ${table} (name)`);
    await scene.write({
      'f0.csv': 'id,name\n1,a\n',
      'f1.csv': 'id,name\n1,b\n',
      'f2.csv': 'id,name\n2,a\n',
      'f3.csv': 'id,name\n1,c\n3,b\n',
    });
    const end = await scene.run(['*.csv', '--concurrency', '4']);
    expect([end.code, end.report?.loads[0]?.strategy]).toEqual([0, 'sequential']);
    expect(end.report?.loads[0]?.reason).toContain(`unique index ${table}_name`);
    expect(filesOf(end.report).map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1]);
    expect(await db.query(`select id, name from ${table} order by id`)).toEqual([
      { id: 1, name: 'c' },
      { id: 2, name: 'a' },
      { id: 3, name: 'b' },
    ]);
  });
});

test('a unit costs a bounded number of statements, however many units there are', async () => {
  const cost = async (files: number): Promise<number> => {
    await scene.db.query(`truncate ${scene.table}`);
    const input = csvFiles(overlappingFiles(files, 7, 10));
    await scene.write(input);
    const words = ['--strategy', 'full-parallel', '--concurrency', '12'];
    const { ended, statements } = await sentDuring(() =>
      scene.run([...Object.keys(input), ...words]),
    );
    expect(ended.code).toBe(0);
    return statements.length;
  };
  const [few, many] = [await cost(3), await cost(12)];
  expect(many - few).toBeGreaterThan(0);
  // Of each unit: settings and pid of the connection, drop and create staging, COPY, range, keys,
  // begin, merge, ledger, commit, drop; and of its share of the plan the hashes of its sample.
  expect((many - few) / 9).toBeLessThanOrEqual(14);
});
