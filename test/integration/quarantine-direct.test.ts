import { parquetWriteBuffer } from 'hyparquet-writer';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import type { Plan } from '../../src/plan/plan-types.ts';
import type { Report } from '../../src/run/report-types.ts';
import { load, planJob, runPlan } from '../support/load.ts';
import { useScene } from '../support/scene.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

/**
 * Bad rows of files that are copied into the table itself: block by block, and without being staged.
 * What is rejected, and every byte of the reject file, is as where the file is staged.
 */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name text, n int check (n >= 0),
                parent int references parents deferrable initially deferred)`,
  `create table parents (id int primary key);
   insert into parents select generate_series(0, 99);`,
);

const ROWS = 45_000;

/** What a line of the file is instead, in three blocks of it; `id` stands for its key. */
const BAD: readonly (readonly [row: number, line: string])[] = [
  [1, 'id,a,many,1'],
  [9_000, ',no key,1,1'],
  [9_001, 'id,a,-1,1'],
  [20_000, 'id,a,3000000000,1'],
  [31_000, 'id,a,1'],
  [31_001, 'id,a,1,1,1'],
  [31_002, 'id,nul\0,1,1'],
  [31_500, 'id,\xff,1,1'],
  [34_000, 'id,nobody,1,100'],
  [40_000, 'id,"never closed,1,1'],
  [40_500, 'id,a,many,1'],
  [44_999, 'id,other,1,1\r'],
];

function keyOf(file: number, row: number): number {
  return 1_000_000 * (file + 1) + row * 2;
}

/** Each line is about 70 bytes, so that a file has several blocks. */
function csv(file: number, bad: typeof BAD): Buffer {
  const changed = new Map(bad);
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const id = String(keyOf(file, row));
    const line = changed.get(row);
    return line === undefined
      ? `${id},"row ${row}, ${'x'.repeat(50)}",${row},${row % 100}`
      : line.replace('id', id);
  });
  return Buffer.from(`id,name,n,parent\n${lines.join('\n')}\n`, 'latin1');
}

type Settings = Plan['settings'];

/** As if the sample had seen none of the bad rows. */
async function planned(files: readonly string[], settings: Partial<Settings> = {}): Promise<Plan> {
  const job = {
    settings: { ...settings, onError: 'quarantine' as const, concurrency: 2 },
    loads: [{ table: scene.table, files: [...files], strategy: 'full-parallel' as const }],
  };
  const plan = structuredClone(await planJob(scene.db.url, job, { cwd: scene.folder }));
  const units = plan.loads[0]?.units ?? [];
  expect(units.map((unit) => unit.files)).toEqual(files.map((_, file) => [file]));
  for (const [file, unit] of units.entries()) {
    const start = (at: number): string | null =>
      at === 0 || at === files.length ? null : String(keyOf(at, 0));
    const direct = { column: 'id', from: start(file), before: start(file + 1) };
    Object.assign(unit, { direct });
  }
  return plan;
}

interface Run {
  readonly report: Report;
  readonly notices: readonly string[];
  readonly statements: readonly string[];
}

async function run(plan: Plan): Promise<Run> {
  const notices: string[] = [];
  const statements: string[] = [];
  const proxy = await openTcpProxy(scene.db.url, {
    fateOf: (statement) => {
      statements.push(statement);
      return 'pass';
    },
  });
  try {
    const report = await runPlan(proxy.url, plan, {
      onEvent: (event) => {
        if (event.kind === 'notice') notices.push(event.sentence);
      },
    });
    return { report, notices: notices.filter((one) => one.includes('directly')), statements };
  } finally {
    await proxy.close();
  }
}

function rejectsOf(name: string): Promise<string> {
  return readFile(join(scene.folder, 'rejects', `${name}.rejects.csv`), 'latin1');
}

async function content(): Promise<unknown> {
  const [row] = await scene.db.query(
    `select count(*)::int as n, md5(string_agg(t::text, '' order by id)) as digest from ${scene.table} t`,
  );
  return row;
}

/** The same files once more, through staging, into the empty table. */
async function staged(files: readonly string[]): Promise<unknown> {
  await scene.db.query(`truncate ${scene.table}`);
  await rm(join(scene.folder, 'rejects'), { recursive: true, force: true });
  const job = {
    settings: { onError: 'quarantine' as const, conflictDetection: false },
    loads: [{ table: scene.table, files: [...files], strategy: 'sequential' as const }],
  };
  const { report } = await load(scene.db.url, job, { cwd: scene.folder, force: true });
  expect(report.error).toBeNull();
  return content();
}

test('bad rows of each kind, in several blocks of two files, the second clean', async () => {
  const files = { 'a.csv': csv(0, BAD), 'b.csv': csv(1, []) };
  await scene.write(files);
  expect(blocksOf(files['b.csv'])).toBeGreaterThan(1);
  const { report, notices, statements } = await run(await planned(['a.csv', 'b.csv']));
  expect([report.status, report.error, notices]).toEqual(['rejected-rows', null, []]);
  expect(report.loads[0]?.files).toMatchObject([
    { rowsRead: ROWS, inserted: ROWS - BAD.length, superseded: 0, rejected: BAD.length },
    { rowsRead: ROWS, inserted: ROWS, superseded: 0, rejected: 0, rejects: null },
  ]);
  expect(statements.filter((sql) => sql.includes('create temp'))).toEqual([]);
  const direct = [await content(), await rejectsOf('a.csv')];
  expect(direct[0]).toMatchObject({ n: 2 * ROWS - BAD.length });
  expect([await staged(['a.csv', 'b.csv']), await rejectsOf('a.csv')]).toEqual(direct);
});

test.each([
  ['a clean file is one COPY for each block', [], 0],
  // The block; what comes before its bad row, and that once more; what comes behind it, in pieces.
  ['one bad row costs its block once more, and not the file', [[40_000, 'id,a,many,1']], 4],
] as const)('%s', async (_, bad, more) => {
  const file = csv(0, bad);
  await scene.write({ 'a.csv': file });
  const { report, statements } = await run(await planned(['a.csv']));
  expect(report.loads[0]?.totals).toMatchObject({
    inserted: ROWS - bad.length,
    rejected: bad.length,
  });
  const copies = statements.filter((sql) => /^copy .* from stdin/i.test(sql));
  expect(copies).toHaveLength(blocksOf(file) + more);
});

/** The header is taken off the first chunk, so a block takes one more to be full. */
function blocksOf(file: Buffer): number {
  return Math.ceil(file.length / (LIMITS.directBlockBytes + LIMITS.readChunkBytes));
}

test.each<[what: string, change: (lines: Map<number, string>) => void, why: RegExp]>([
  [
    'more bad rows than the table is to hold dead tries of',
    (lines) => {
      for (let row = 0; row <= LIMITS.directRejectedRowsMax; row++) {
        lines.set(40_000 + row, 'id,a,x,1');
      }
    },
    /More than 100 of its rows are bad/,
  ],
  [
    'a key that comes twice behind a bad row',
    (lines) => lines.set(10, 'id,a,many,1').set(20_000, `${keyOf(0, 5)},again,7,7`),
    /duplicate key/,
  ],
  [
    'a key beyond the window behind a bad row',
    (lines) => lines.set(10, 'id,a,many,1').set(20_000, `${keyOf(1, 5) + 1},above,7,7`),
    /keys of 1 rows are not where/,
  ],
])('%s: the file is staged after all', async (_, change, why) => {
  const lines = new Map<number, string>();
  change(lines);
  await scene.write({ 'a.csv': csv(0, [...lines]), 'b.csv': csv(1, []) });
  const { report, notices } = await run(await planned(['a.csv', 'b.csv']));
  expect([report.status, report.error]).toEqual(['rejected-rows', null]);
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatch(why);
  const direct = [await content(), await rejectsOf('a.csv')];
  expect([await staged(['a.csv', 'b.csv']), await rejectsOf('a.csv')]).toEqual(direct);
});

test('maxErrors is of the file, and nothing of it is loaded', async () => {
  await scene.write({ 'a.csv': csv(0, BAD.slice(0, 3)), 'b.csv': csv(1, []) });
  const { report } = await run(await planned(['a.csv', 'b.csv'], { maxErrors: 2 }));
  expect(report.error).toMatchObject({ code: 'ETL_LIMIT', facts: { file: 'a.csv' } });
  expect(await content()).toMatchObject({ n: 0 });
  expect((await rejectsOf('a.csv')).split('\n')).toHaveLength(1 + 3 + 1);
});

test('bad rows of JSON Lines and of Parquet', async () => {
  const rows = Array.from({ length: 3_000 }, (_, row) => ({
    id: keyOf(0, row),
    name: `row ${row}`,
    n: row === 2_500 ? -1 : row,
    parent: row === 100 ? 100 : row % 100,
  }));
  const lines = rows.map((row) => JSON.stringify(row)).join('\n');
  const second = rows.map((row) => ({ ...row, id: row.id + 1_000_000 }));
  const column = (name: 'id' | 'n' | 'parent') => ({
    name,
    data: second.map((row) => row[name]),
    type: 'INT32' as const,
  });
  const names = { name: 'name', data: second.map(({ name }) => name), type: 'STRING' as const };
  const columnData = [column('id'), names, column('n'), column('parent')];
  await scene.write({
    'a.jsonl': lines,
    'b.parquet': Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 700 })),
  });
  const files = ['a.jsonl', 'b.parquet'];
  const { report, notices, statements } = await run(await planned(files));
  expect([report.status, report.error, notices]).toEqual(['rejected-rows', null, []]);
  expect(report.loads[0]?.totals).toMatchObject({ inserted: 5_996, rejected: 4 });
  expect(statements.filter((sql) => sql.includes('create temp'))).toEqual([]);
  const direct = [await content(), await rejectsOf('a.jsonl'), await rejectsOf('b.parquet')];
  const again = [await staged(files), await rejectsOf('a.jsonl'), await rejectsOf('b.parquet')];
  expect(again).toEqual(direct);
});

test('a corrected row is loaded behind a direct copy', async () => {
  await scene.write({ 'a.csv': csv(0, [[40_000, 'id,a,many,1']]) });
  await run(await planned(['a.csv']));
  const path = join(scene.folder, 'rejects', 'a.csv.rejects.csv');
  const text = await readFile(path, 'utf8');
  await scene.write({ 'rejects/a.csv.rejects.csv': text.replace(/many,1\n/, '77,1\n') });
  const end = await scene.run(['a.csv', '--retry-rejects']);
  expect([end.code, end.error]).toEqual([0, null]);
  expect(
    await scene.db.query(`select n from ${scene.table} where id = ${keyOf(0, 40_000)}`),
  ).toEqual([{ n: 77 }]);
});
