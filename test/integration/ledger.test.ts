import { createHash } from 'node:crypto';
import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { statusesOf, useScene } from '../support/scene.ts';

/** The ledger: a run skips what is loaded, and loads what is new, changed, or meant otherwise. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name text, version int)`,
);

const FILES = {
  'a.csv': 'id,name,version\n1,a,1\n2,a,1\n',
  'b.csv': 'id,name,version\n2,b,2\n3,b,2\n',
  'c.csv': 'id,name,version\n4,c,3\n',
};
const ALL = ['1 a', '2 b', '3 b', '4 c'];

/** Rows as text, and what tells whether any of them was written again. */
async function rows(): Promise<{ readonly names: string[]; readonly written: string[] }> {
  const found = await scene.db.query<{ name: string; written: string }>(
    `select id || ' ' || name as name, xmin::text || ctid::text as written
       from ${scene.table} order by id`,
  );
  return { names: found.map((row) => row.name), written: found.map((row) => row.written) };
}

/** The first run of every test: three files, in the order of their names. */
async function loadAll(): Promise<{ readonly names: string[]; readonly written: string[] }> {
  await scene.write(FILES);
  const { code, report } = await scene.run(['*.csv', '--concurrency', '2']);
  expect([code, statusesOf(report)]).toEqual([0, ['loaded', 'loaded', 'loaded']]);
  const loaded = await rows();
  expect(loaded.names).toEqual(ALL);
  return loaded;
}

async function again(...words: string[]): Promise<string[]> {
  const { code, report, stderr } = await scene.run(['*.csv', ...words]);
  expect([code, stderr]).toEqual([0, '']);
  return statusesOf(report);
}

const skipped = 'skipped';
const loaded = 'loaded';

describe('a second run', () => {
  test('skips all and writes nothing', async () => {
    const before = await loadAll();
    const end = await scene.run(['*.csv']);
    expect([end.code, end.report?.status]).toEqual([0, 'loaded']);
    expect(statusesOf(end.report)).toEqual([skipped, skipped, skipped]);
    expect(end.report?.loads[0]?.totals).toMatchObject({ rowsRead: 0, inserted: 0, updated: 0 });
    expect(end.stdout).toContain('skipped');
    expect(await rows()).toEqual(before);
  });

  test('with --force loads all again, in order', async () => {
    await loadAll();
    await scene.db.query(`update ${scene.table} set name = 'edited'`);
    expect(await again('--force')).toEqual([loaded, loaded, loaded]);
    expect((await rows()).names).toEqual(ALL);
    expect(await again()).toEqual([skipped, skipped, skipped]);
  });

  test('skips a file that was only touched', async () => {
    const before = await loadAll();
    await utimes(join(scene.folder, 'b.csv'), new Date(), new Date(Date.now() + 60_000));
    expect(await again()).toEqual([skipped, skipped, skipped]);
    expect(await rows()).toEqual(before);
  });

  test('loads a file that was changed, though its size is the same', async () => {
    await loadAll();
    await scene.write({ 'b.csv': FILES['b.csv'].replaceAll('b', 'B') });
    expect(await again()).toEqual([skipped, loaded, skipped]);
    expect((await rows()).names).toEqual(['1 a', '2 B', '3 B', '4 c']);
    expect(await again()).toEqual([skipped, skipped, skipped]);
  });

  test('loads a file that was changed and changed back', async () => {
    await loadAll();
    await scene.write({ 'b.csv': FILES['b.csv'].replaceAll('b', 'B') });
    await again();
    await scene.write(FILES);
    expect(await again()).toEqual([skipped, loaded, skipped]);
    expect((await rows()).names).toEqual(ALL);
  });

  test('loads only the file that is new beside loaded ones', async () => {
    const before = await loadAll();
    await scene.write({ 'd.csv': 'id,name,version\n4,d,4\n5,d,4\n' });
    expect(await again()).toEqual([skipped, skipped, skipped, loaded]);
    const after = await rows();
    expect(after.names).toEqual(['1 a', '2 b', '3 b', '4 d', '5 d']);
    expect(after.written.slice(0, 3)).toEqual(before.written.slice(0, 3));
  });

  test('tells that a file arrived late whose rows precede what is loaded', async () => {
    await loadAll();
    await scene.write({ 'aa.csv': 'id,name,version\n2,late,9\n' });
    const { report, stdout } = await scene.run(['*.csv']);
    expect(statusesOf(report)).toEqual([skipped, loaded, skipped, skipped]);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('aa.csv comes before c.csv in precedence');
    expect(await again('--force')).toEqual([loaded, loaded, loaded, loaded]);
    expect((await rows()).names).toEqual(ALL);
  });

  test.for([
    ['another policy', ['--on-conflict', 'newest', '--version-column', 'version']],
    ['another mapping', ['--columns', 'version=']],
    ['another meaning of NULL', ['--csv-null', 'b']],
    ['another time zone', ['--time-zone', 'Europe/Berlin']],
  ] as const)('loads again with %s', async ([, words]) => {
    await loadAll();
    expect(await again(...words)).toEqual([loaded, loaded, loaded]);
    expect(await again(...words)).toEqual([skipped, skipped, skipped]);
  });

  test('does not care about strategy and concurrency', async () => {
    await loadAll();
    const words = ['--strategy', 'partitioned', '--concurrency', '3'];
    expect(await again(...words)).toEqual([skipped, skipped, skipped]);
  });

  test('loads all into a table that was dropped and made again', async () => {
    await loadAll();
    const { table, db } = scene;
    await db.query(`drop table ${table}`);
    await db.query(`create table ${table} (id int primary key, name text, version int)`);
    expect(await again()).toEqual([loaded, loaded, loaded]);
    expect((await rows()).names).toEqual(ALL);
  });

  test('skips what was loaded into a table that was emptied since, and says so', async () => {
    await loadAll();
    await scene.db.query(`truncate ${scene.table}`);
    const { report, stdout } = await scene.run(['*.csv']);
    expect(statusesOf(report)).toEqual([skipped, skipped, skipped]);
    const said = stdout.replaceAll(/\s+/g, ' ');
    expect(said).toContain('was emptied since. --force loads them again.');
    expect(await again('--force')).toEqual([loaded, loaded, loaded]);
    expect((await rows()).names).toEqual(ALL);
  });

  test('of a partitioned load skips all as well', async () => {
    await scene.write(FILES);
    const words = ['--strategy', 'partitioned'];
    expect(await again(...words)).toEqual([loaded, loaded, loaded]);
    expect(await again(...words)).toEqual([skipped, skipped, skipped]);
    expect((await rows()).names).toEqual(ALL);
  });
});

test('a load that was cut off after its first file goes on with the second', async () => {
  await scene.write(FILES);
  const cut = new AbortController();
  const end = await scene.run(['*.csv', '--strategy', 'sequential', '--concurrency', '2'], {
    signal: cut.signal,
    onEvent: (event) => {
      if (event.kind === 'file-finished' && event.file === 0) cut.abort();
    },
  });
  expect([end.code, end.report?.status]).toEqual([130, 'interrupted']);
  const first = statusesOf(end.report);
  expect(first[0]).toBe('loaded');
  expect(first[2]).toBe('not-loaded');
  const rest = first.map((status) => (status === 'loaded' ? 'skipped' : 'loaded'));
  expect(await again('--strategy', 'sequential')).toEqual(rest);
  expect((await rows()).names).toEqual(ALL);
});

test('the ledger keeps what was loaded, by which run, and every run with its end', async () => {
  await loadAll();
  const entries = await scene.db.query(
    `select path, ordinal, rows_read::int, inserted::int, updated::int, strategy, content_hash
       from etl.ledger where table_name = $1 order by ordinal`,
    [`public.${scene.table}`],
  );
  expect(entries.map(({ path, rows_read: read }) => [path, read])).toEqual([
    [join(scene.folder, 'a.csv'), 2],
    [join(scene.folder, 'b.csv'), 2],
    [join(scene.folder, 'c.csv'), 1],
  ]);
  const bytes = await readFile(join(scene.folder, 'a.csv'));
  expect(entries[0]?.['content_hash']).toBe(createHash('sha256').update(bytes).digest('hex'));
  const open = await scene.db.query(`select * from etl.run where status = 'running'`);
  expect(open).toEqual([]);
});
