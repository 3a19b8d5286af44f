import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findPeers, type Peer, type PeerJob } from '../../benchmarks/peers/peers.ts';
import { tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import { csvOf } from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';

/** What people use instead must do what it is said to do, or the comparison is worth nothing. */
const { available, unavailable } = await findPeers();

const scene = useScene(
  (table) => `
    create table ${table} (region text, id int, name text, amount numeric(10,2),
                           primary key (region, id));
    create table ${table}_oracle (like ${table} including all)`,
);

const COLUMNS = [
  { name: 'region', sqlType: 'text' },
  { name: 'id', sqlType: 'int' },
  { name: 'name', sqlType: 'text' },
  { name: 'amount', sqlType: 'numeric(10,2)' },
];

/** Overlaps, repeated keys inside a file, NULL, and fields that need quotes. */
const FILES: readonly OracleFile[] = [0, 1].map((file) => ({
  columns: COLUMNS.map(({ name }) => name),
  rows: Array.from({ length: 230 }, (_, row) => {
    const id = file * 120 + (row % 9 === 8 ? row - 4 : row);
    const name = row % 5 === 4 ? null : `${file}: "${row}", 50 % \\n, it's\nä`;
    return [id % 2 === 0 ? 'north' : 'so,uth', String(id), name, `${row}.${file}5`];
  }),
}));

async function jobOf(texts: readonly string[]): Promise<PeerJob> {
  const names = texts.map((_, index) => `part ${index}.csv`);
  await scene.write(Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ''])));
  return {
    databaseUrl: scene.db.url,
    table: `public.${scene.table}`,
    columns: COLUMNS,
    key: ['region', 'id'],
    files: names.map((name) => join(scene.folder, name)),
  };
}

async function loadOracle(files: readonly OracleFile[]): Promise<void> {
  const table = `${scene.table}_oracle`;
  const target = {
    ...{ table, columns: COLUMNS.map(({ name }) => name), key: ['region', 'id'] },
    ...{ onConflict: 'update' as const, versionColumn: null },
  };
  await loadInBatches(scene.db, target, files);
}

test('every peer is found, or it is said what it lacks', () => {
  const names = [...available, ...unavailable].map(({ name }) => name).sort();
  expect(names).toEqual([
    'multi-row INSERT',
    'pandas to_sql',
    'pgloader',
    'psql script',
    'psql xargs -P',
    'psycopg2 execute_values',
    'row by row',
  ]);
  expect(available.map(({ name }) => name)).toContain('multi-row INSERT');
  for (const { why } of unavailable) expect(why).toMatch(/is not installed|Python/);
});

describe.each(available.map((peer) => [peer.name, peer] as const))('%s', (_name, peer: Peer) => {
  test('leaves the table that it declares, and is measured', async () => {
    const usage = await peer.run(await jobOf(FILES.map(csvOf)));
    expect(usage.clientCpuMs).toBeGreaterThan(0);
    if (usage.rssPeakBytes !== null) expect(usage.rssPeakBytes).toBeGreaterThan(1_000_000);
    if (peer.deterministic) {
      await loadOracle(FILES);
      const [loaded] = await scene.db.query(tableDigest(scene.table));
      const [oracle] = await scene.db.query(tableDigest(`${scene.table}_oracle`));
      expect(loaded).toEqual(oracle);
      return;
    }
    await expectEitherWinner();
  });

  test('overwrites what the table holds, and leaves nothing else behind', async () => {
    const before: OracleFile = {
      columns: ['region', 'id', 'name', 'amount'],
      rows: [
        ['north', '2', 'old', '9.99'],
        ['west', '7', 'stays', '1.00'],
      ],
    };
    await loadOracle([before]);
    await scene.db.query(`insert into ${scene.table} select * from ${scene.table}_oracle`);
    const [first = before] = FILES;
    const tables = `select count(*)::int as tables from pg_tables where schemaname = 'public'`;
    const there = await scene.db.query(tables);
    await peer.run(await jobOf([csvOf(first)]));
    await loadOracle([first]);
    const [loaded] = await scene.db.query(tableDigest(scene.table));
    const [oracle] = await scene.db.query(tableDigest(`${scene.table}_oracle`));
    expect(loaded).toEqual(oracle);
    expect(await scene.db.query(tables)).toEqual(there);
  });

  test('tells of a file that cannot be loaded', async () => {
    const job = await jobOf([csvOf({ columns: FILES[0]?.columns ?? [], rows: [] })]);
    await writeFile(job.files[0] ?? '', 'region,id,name,amount\nnorth,one,a,1.00\n');
    await expect(peer.run(job)).rejects.toMatchObject({
      code: 'ETL_PEER',
      message: expect.stringMatching(/invalid input syntax for (type )?integer/) as string,
    });
  });
});

const pgloaders = available.filter(({ name }) => name === 'pgloader');

/** With one worker for reading and writing it waits for ever once 100,000 rows are read. */
test.runIf(pgloaders.length > 0)(
  'pgloader loads files longer than its queue',
  async () => {
    const rows = Array.from({ length: 110_000 }, (_, row) => `north,${row},n,1.00\n`);
    const job = await jobOf([`region,id,name,amount\n${rows.join('')}`]);
    for (const pgloader of pgloaders) await pgloader.run({ ...job, secondsMax: 60 });
    const [count] = await scene.db.query(`select count(*)::int as rows from ${scene.table}`);
    expect(count).toEqual({ rows: rows.length });
  },
  90_000,
);

/** Not deterministic means: each row is what one of the files would have left, and none is lost. */
async function expectEitherWinner(): Promise<void> {
  const lines: string[][] = [];
  for (const file of FILES) {
    await loadOracle([file]);
    lines.push(await linesOf(`${scene.table}_oracle`));
    await scene.db.query(`truncate ${scene.table}_oracle`);
  }
  const loaded = await linesOf(scene.table);
  expect(loaded.filter((line) => !lines.flat().includes(line))).toEqual([]);
  const keys = FILES.flatMap((file) => file.rows.map(([region, id]) => `${region} ${id}`));
  expect(loaded).toHaveLength(new Set(keys).size);
}

async function linesOf(table: string): Promise<string[]> {
  const rows = await scene.db.query<{ line: string }>(`select t::text as line from ${table} t`);
  return rows.map(({ line }) => line);
}
