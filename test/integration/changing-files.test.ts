import { appendFile, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { planJob, runPlan } from '../support/load.ts';
import { filesOf, useScene } from '../support/scene.ts';

/** A file that somebody writes to, cuts, removes or replaces is noticed, named, and not loaded. */
const scene = useScene(
  (table) => `create table ${table} (id bigint primary key, name fault_staged)`,
  FAULTS,
);

/** As a stream: more than is read as one piece. */
const ROWS = 6_000;
const LONG = 'a name that is long enough '.repeat(2);
function csvRows(rows: number, name: string): string {
  const lines = Array.from(
    { length: rows },
    (_, row) => `${row},${row === 1 ? 'stage gate' : name}`,
  );
  return `id,name\n${lines.join('\n')}\n`;
}
const ids = Array.from({ length: 3_000 }, (_, row) => row);

/** How each kind of file is read: as a stream, in a group's one COPY, in parts, decoded. */
const KINDS: Record<
  string,
  { readonly file: string; readonly content: Buffer; readonly parts?: number }
> = {
  'a stream of bytes': { file: 'x.csv', content: Buffer.from(csvRows(ROWS, LONG)) },
  'one of a group': { file: 'x.csv', content: Buffer.from(csvRows(5, 'a')) },
  'a file in parts': { file: 'x.csv', content: Buffer.from(csvRows(ROWS, LONG)), parts: 100_000 },
  gzip: { file: 'x.csv.gz', content: gzipSync(csvRows(ROWS, 'zipped')) },
  Parquet: {
    file: 'x.parquet',
    content: Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: 'id', data: ids, type: 'INT32' },
          { name: 'name', data: ids.map((id) => (id === 1 ? 'stage gate' : 'p')), type: 'STRING' },
        ],
        rowGroupSize: 500,
      }),
    ),
  },
};

const CHANGES: Record<string, (path: string) => Promise<unknown>> = {
  grows: (path) => appendFile(path, '77777,more\n'),
  shrinks: async (path) => truncate(path, (await stat(path)).size - 3),
  vanishes: (path) => rm(path),
  'is written anew, as long as before': async (path) => {
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0x31, bytes.length - 4, bytes.length - 1));
    await utimes(path, 1_700_000_000, 1_700_000_000);
  },
};

const CASES = Object.keys(KINDS).flatMap((kind) =>
  Object.keys(CHANGES).flatMap((change) =>
    (['after it was planned', 'while it is copied'] as const).map(
      (moment) => [kind, change, moment] as const,
    ),
  ),
);

test.for(CASES)('%s that %s %s', async ([kind, change, moment]) => {
  const { db, folder, table } = scene;
  const { file, content, parts } = KINDS[kind] ?? { file: '', content: Buffer.of() };
  const path = join(folder, file);
  await scene.write({ 'a.csv': 'id,name\n-1,first\n', [file]: content });
  const options = { cwd: folder, ...(parts === undefined ? {} : { partBytesMin: parts }) };
  const job = {
    settings: { concurrency: 2, chunkSize: parts === undefined ? 100_000 : 2_000 },
    loads: [
      {
        table,
        files: ['a.csv', file],
        ...(parts === undefined ? {} : { strategy: 'partitioned' as const }),
      },
    ],
  };
  const plan = await planJob(db.url, job, options);
  if (parts !== undefined) expect(plan.loads[0]?.units.length).toBeGreaterThan(2);
  const disturb = CHANGES[change] ?? (() => Promise.resolve());
  let report;
  if (moment === 'while it is copied') {
    const gate = await db.client();
    await gate.query(closeGateSql('stage'));
    const running = runPlan(db.url, plan, {});
    try {
      await untilWaiting(db, 'stage');
      await disturb(path);
    } finally {
      await gate.end();
    }
    report = await running;
  } else {
    await disturb(path);
    report = await runPlan(db.url, plan, {});
  }
  expect([report.status, report.error?.code]).toEqual(['failed', 'ETL_FILE_CHANGED']);
  expect(report.error?.facts.file).toBe(file);
  expect(report.error?.remedy).not.toBe('');
  expect(filesOf(report)[1]?.status).toBe('failed');
  // The file before it is loaded, but for a load that is all or nothing.
  const left = parts === undefined ? [{ id: '-1', name: 'first' }] : [];
  expect(await db.query(`select * from ${table}`)).toEqual(left);

  await writeFile(path, content);
  const next = await runPlan(db.url, await planJob(db.url, job, options), {});
  expect([next.status, next.error]).toEqual(['loaded', null]);
  const [count] = await db.query(
    `select count(*)::int as n, count(distinct id)::int as ids from ${table}`,
  );
  const rows = file === 'x.parquet' ? ids.length : kind === 'one of a group' ? 5 : ROWS;
  expect(count).toEqual({ n: rows + 1, ids: rows + 1 });
});

/** Uncompressed, and more than the buffers between us and the server hold, so that it is not read at once. */
const LARGE = 20_000;
const largeParquet = (): Buffer => {
  const places = Array.from({ length: LARGE }, (_, row) => row);
  const name = (row: number): string => (row === 1 ? 'stage gate' : `${row} `.repeat(80));
  return Buffer.from(
    parquetWriteBuffer({
      columnData: [
        { name: 'id', data: places, type: 'INT32' },
        { name: 'name', data: places.map(name), type: 'STRING' },
      ],
      rowGroupSize: 500,
      codec: 'UNCOMPRESSED',
    }),
  );
};

test.for([
  ['full-parallel', 'stop'],
  ['full-parallel', 'quarantine'],
  ['partitioned', 'stop'],
] as const)(
  'what looks like damage of a file that is being rewritten is told as the change (%s, %s)',
  async ([strategy, onError]) => {
    const { db, folder, table } = scene;
    const content = largeParquet();
    const path = join(folder, 'x.parquet');
    await scene.write({ 'x.parquet': content });
    const settings = { concurrency: 1, onError };
    const job = { settings, loads: [{ table, files: ['x.parquet'], strategy }] };
    const plan = await planJob(db.url, job, { cwd: folder });
    const gate = await db.client();
    await gate.query(closeGateSql('stage'));
    const running = runPlan(db.url, plan, {});
    try {
      await untilWaiting(db, 'stage');
      await writeFile(path, content.fill(0xff, 4, content.length - 100_000));
    } finally {
      await gate.end();
    }
    const report = await running;
    expect([report.status, report.error?.code]).toEqual(['failed', 'ETL_FILE_CHANGED']);
    expect(report.error?.facts).toEqual({ file: 'x.parquet' });
    expect(await db.query(`select * from ${table}`)).toEqual([]);
  },
);
