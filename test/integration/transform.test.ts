import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { etl } from '../support/etl.ts';
import { load } from '../support/load.ts';
import { csvOf } from '../support/random-load.ts';
import { rowsOf } from '../support/table-pair.ts';
import { parquetOf, type TwinColumn } from '../support/twin-files.ts';
import { CSV, SCORE, SCORED, useTransforms } from '../support/transform-scene.ts';

/** Rows that go through a module of the user's on their way into the table. */
const { place, run } = useTransforms();

describe('what a transform makes', () => {
  const twin: TwinColumn[] = [
    { name: 'id', type: { kind: 'integer', bits: 32, signed: true }, texts: ['1', '2', '3', '4'] },
    { name: 'name', type: { kind: 'string' }, texts: ['a', 'bb', null, 'd,\nd'] },
  ];
  const records = SCORED.map(({ id, name }) => ({ id: Number(id), name }));

  it.each<[string, string, string | Buffer | Uint8Array, Record<string, unknown>]>([
    ['CSV', 'f.csv', CSV, {}],
    ['gzipped CSV', 'f.csv.gz', gzipSync(CSV), {}],
    ['a dialect that COPY lacks', 'f.csv', `#x\n${CSV}`, { csv: { comment: '#' } }],
    ['JSON', 'f.json', JSON.stringify(records), {}],
    ['Parquet', 'f.parquet', parquetOf(twin), {}],
  ])('is loaded from %s', async (_, name, content, asked) => {
    const { report, table } = await run(SCORE, { files: { [name]: content }, ...asked });
    expect(report).toMatchObject({ status: 'loaded', error: null });
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 4, inserted: 4, rejected: 0 });
    await expect(rowsOf(place, table)).resolves.toEqual(SCORED);
  });

  it.each(['full-parallel', 'hybrid', 'sequential', 'partitioned'])(
    'is the same by %s, with several files on real threads',
    async (strategy) => {
      const files = {
        'a.csv': 'id,name\n1,first\n2,b\n',
        'b.csv': 'name,id\nlast,1\nccc,3\n',
        'c.csv': 'id,name\n3,cc\n',
      };
      const options = { times: 10 };
      const { report, table } = await run(SCORE, {
        files,
        strategy,
        options,
        run: { threads: true },
      });
      expect(report).toMatchObject({ status: 'loaded', error: null });
      await expect(rowsOf(place, table)).resolves.toEqual([
        { id: '1', name: 'last', score: '40' },
        { id: '2', name: 'b', score: '10' },
        { id: '3', name: 'cc', score: '20' },
      ]);
    },
  );

  it('is the same of a file that is split into parts', async () => {
    const rows = Array.from({ length: 300 }, (_, row) => `${row % 100},${'x'.repeat(row % 7)}y\n`);
    const { plan, report, table } = await run(SCORE, {
      files: { 'f.csv': `id,name\n${rows.join('')}` },
      strategy: 'partitioned',
      settings: { chunkSize: 20, concurrency: 3, subBatchSize: 8 },
      run: { partBytesMin: 50 },
    });
    expect(plan.loads[0]?.units.length).toBeGreaterThan(3);
    expect(report.loads[0]?.totals).toMatchObject({
      rowsRead: 300,
      inserted: 100,
      superseded: 200,
    });
    const [wrong] = await place.db.query(
      `select count(*) from ${table} where score <> (id + 200) % 7 + 1 or score is null`,
    );
    expect(wrong).toEqual({ count: '0' });
  });

  it('is called with subBatchSize rows, whatever the file is like', async () => {
    const module = `export default {
      columns: ['score'],
      transform: (rows) => rows.map(() => ({ score: rows.length })),
    }`;
    const files = {
      'f.csv': `id,name\n${Array.from({ length: 25 }, (_, id) => `${id},x\n`).join('')}`,
    };
    const { table } = await run(module, { files, settings: { subBatchSize: 10 } });
    const counts = `select score, count(*)::int as rows from ${table} group by 1 order by 1`;
    await expect(place.db.query(counts)).resolves.toEqual([
      { score: 5, rows: 5 },
      { score: 10, rows: 20 },
    ]);
  });

  it('may be the key, and another spelling of a column that the file has', async () => {
    const module = `export default {
      columns: ['id', 'name'],
      transform: async (rows) => rows.map((row) => ({ id: BigInt(row.id) % 2n, name: row.name?.toUpperCase() ?? null })),
    }`;
    const { plan, report, table } = await run(module, {
      files: { 'a.csv': CSV, 'b.csv': 'id,name\n7,z\n' },
    });
    expect(plan.loads[0]?.overlap).toMatchObject({ sampled: false });
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 5, inserted: 2, superseded: 2 });
    await expect(rowsOf(place, table)).resolves.toEqual([
      { id: '0', name: 'D,\nD', score: null },
      { id: '1', name: 'Z', score: null },
    ]);
  });

  it('goes to a table that is created, with the types that the module names', async () => {
    const module = `export default {
      columns: { score: 'real', grade: 'char(1)' },
      transform: (rows) => rows.map(({ id }) => ({ score: id / 3, grade: id > 2 ? 'A' : 'B' })),
    }`;
    const { report, table } = await run(module, { table: 'made_new', key: ['id'] });
    expect(report).toMatchObject({ status: 'loaded', error: null });
    expect(table).not.toBe('made_new');
    await expect(
      place.db.query(`select pg_typeof(score) as score, pg_typeof(grade) as grade, grade as value
                        from made_new where id = 4`),
    ).resolves.toEqual([{ score: 'real', grade: 'character', value: 'A' }]);
    await place.db.query('drop table made_new');
  });

  it('reads an empty text as NULL where the type has none, as the file does without it', async () => {
    const module = `export default {
      columns: ['score'],
      transform: (rows) => rows.map(() => ({ score: '' })),
    }`;
    const { table } = await run(module, { files: { 'f.csv': 'id,name\n1,""\n' } });
    await expect(rowsOf(place, table)).resolves.toEqual([{ id: '1', name: '', score: null }]);
  });
});

/** More workers than processors share threads: see createWorkerPool. */
test.for([2, 4 * availableParallelism()])(
  'the model is set up once in each thread, for %i workers',
  async (concurrency) => {
    const module = `import { appendFileSync } from 'node:fs';
    import { threadId } from 'node:worker_threads';
    export default {
      columns: ['score'],
      async setUp({ log }) { appendFileSync(log, threadId + '\\n'); return threadId },
      transform: (rows, state) => rows.map(() => ({ score: state })),
    }`;
    const log = join(place.folder, `set-ups-${concurrency}.log`);
    const files = Object.fromEntries(
      Array.from({ length: 3 * concurrency }, (_, place) => [
        `${place}.csv`,
        `id,name\n${place},x\n`,
      ]),
    );
    const { table, report } = await run(module, {
      files,
      options: { log },
      settings: { concurrency, threads: 'always', onError: 'stop' },
      run: { threads: true },
    });
    expect(report.status).toBe('loaded');
    const threads = (await readFile(log, 'utf8')).trim().split('\n');
    expect(new Set(threads).size).toBe(threads.length);
    expect(threads.length).toBeLessThanOrEqual(Math.min(concurrency, availableParallelism()));
    const [scores] = await place.db.query(
      `select array_agg(distinct score::text) as seen from ${table}`,
    );
    expect(threads).toEqual(expect.arrayContaining(scores?.['seen'] as string[]));
  },
);

test('a transform that hangs does not keep an interrupted run', async () => {
  const module = `export default { columns: ['score'], transform: () => new Promise(() => {}) }`;
  for (const threads of [false, true]) {
    const stop = new AbortController();
    const onEvent = (event: { kind: string }): void => {
      if (event.kind === 'file-started') void sleep(50).then(() => stop.abort());
    };
    const { report, table } = await run(module, { run: { signal: stop.signal, onEvent, threads } });
    expect(report.status).toBe('interrupted');
    await expect(rowsOf(place, table)).resolves.toEqual([]);
  }
});

test('what is loaded is skipped, until the transform says that it has another version', async () => {
  const { table, job } = await run(SCORE);
  const again = (options = {}) => load(place.db.url, job, { cwd: place.folder, ...options });
  const statusOf = async (done: ReturnType<typeof again>) =>
    (await done).report.loads[0]?.files[0]?.status;
  expect(await statusOf(again())).toBe('skipped');
  const path = join(place.folder, `${table}.mjs`);
  const other = SCORE.replace('name.length', '2 * name.length');
  await sleep(5);
  await writeFile(path, other);
  expect(await statusOf(again())).toBe('skipped');
  await sleep(5);
  await writeFile(path, other.replace('export default {', `export default { version: '2',`));
  expect(await statusOf(again())).toBe('loaded');
  await expect(rowsOf(place, table)).resolves.toMatchObject([
    { score: '2' },
    {},
    {},
    { score: '8' },
  ]);
});

test('verify makes the rows once more, and finds a table that was changed', async () => {
  const module = `export default {
    columns: ['score'],
    transform: (rows, _, { reject }) =>
      rows.map(({ id, name }) => (name === null ? reject('no name') : { score: id * 2 })),
  }`;
  const rejects = join(place.folder, 'rejects-verify');
  const { table } = await run(module, { settings: { onError: 'quarantine', rejects } });
  const path = join(place.folder, `${table}.json`);
  const job = { loads: [{ table, files: [`${table}-f.csv`], transform: `./${table}.mjs` }] };
  await writeFile(path, JSON.stringify(job));
  const verify = () =>
    etl(['verify', '--config', path, '--database-url', place.db.url], { cwd: place.folder });
  expect(await verify()).toMatchObject({ code: 0 });
  await place.db.query(`update ${table} set score = 7 where id = 1`);
  expect(await verify()).toMatchObject({ code: 1 });
});

test('a lookup sees what the transform gives', async () => {
  await place.db.query(
    `create table companies (id int generated always as identity (start with 7) primary key, symbol text unique not null)`,
  );
  await place.db.query(
    `create table ratios (id int primary key, company_id int not null references companies)`,
  );
  const module = `export default {
    columns: ['symbol'],
    transform: (rows) => rows.map(({ name }) => ({ symbol: name.trim().slice(0, 3) })),
  }`;
  await writeFile(join(place.folder, 'symbols.mjs'), module);
  const rows = ['apple', ' App', 'ibm '].map((name, id) => [String(id), name]);
  await writeFile(join(place.folder, 'symbols.csv'), csvOf({ columns: ['id', 'name'], rows }));
  const lookups = [
    {
      column: 'symbol',
      table: 'companies',
      match: 'symbol',
      fold: 'upper' as const,
      insertMissing: true,
      into: 'company_id',
    },
  ];
  const { report } = await load(
    place.db.url,
    {
      loads: [
        {
          table: 'ratios',
          files: ['symbols.csv'],
          columns: { name: null },
          transform: 'symbols.mjs',
          lookups,
        },
      ],
    },
    { cwd: place.folder },
  );
  expect(report).toMatchObject({ status: 'loaded', error: null });
  await expect(
    place.db.query(
      'select r.id, symbol from ratios r join companies c on c.id = company_id order by 1',
    ),
  ).resolves.toEqual([
    { id: 0, symbol: 'APP' },
    { id: 1, symbol: 'APP' },
    { id: 2, symbol: 'IBM' },
  ]);
});
