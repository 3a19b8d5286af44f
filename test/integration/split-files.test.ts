import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/log.ts';
import type { RunEvent } from '../../src/run/events.ts';
import { runWith } from '../../src/run/run.ts';
import { countedPool } from '../support/counted-pool.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { armSql, FAULTS } from '../support/faults.ts';
import { load, planJob, runPlan, type LoadOptions } from '../support/load.ts';
import { CASES_LIMIT_MS, expectAsOracle, forCases } from '../support/promise.ts';
import {
  contentOf,
  randomSplit,
  SPLIT_COLUMNS,
  type RandomSplit,
} from '../support/random-split.ts';

/** Large files are loaded in parts, and the table ends as if each had been loaded whole. */
describe('a file that is split', () => {
  let db: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.query(FAULTS);
    folder = await mkdtemp(join(tmpdir(), 'etl-split-'));
  });
  afterEach(() => expectNoLeaks(db.url));
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it(
    'leaves the table that a sequential load leaves, whatever its parts are',
    async () => {
      let [cases, split] = [0, 0];
      await forCases(60, randomSplit, async (random, table) => {
        cases += 1;
        const names = await writeFiles(table, random);
        for (const name of [table, `${table}_oracle`]) {
          await db.query(`create table ${name} (k int primary key, v text, version int)`);
          await db.query(`insert into ${name} values (1, 'old', 2), (2, 'old', null)`);
        }
        const { concurrency, rows: chunkSize, checkSuperseded, onConflict } = random;
        const versionColumn = onConflict === 'newest' ? 'version' : null;
        const own = {
          table,
          files: names,
          onConflict,
          strategy: 'partitioned',
          versionColumn,
        } as const;
        const { plan, report } = await load(
          db.url,
          { settings: { concurrency, chunkSize, checkSuperseded }, loads: [own] },
          { cwd: folder, partBytesMin: random.bytes },
        );
        split += plan.loads[0]?.units.filter(({ part }) => part !== null).length ?? 0;
        expect(report.error).toBeNull();
        expect(report.loads[0]?.files.map((file) => file.rowsRead)).toEqual(
          random.files.map(({ rows }) => rows.length),
        );
        await expectAsOracle(
          db,
          { table, columns: SPLIT_COLUMNS, key: ['k'], onConflict, versionColumn: 'version' },
          random.files.map(({ rows }) => ({ columns: SPLIT_COLUMNS, rows })),
        );
        await db.query(`drop table ${table}, ${table}_oracle`);
      });
      expect(split).toBeGreaterThan(cases);
    },
    CASES_LIMIT_MS,
  );

  it.each([true, false])('lets the last row of a key win over all parts (%s)', async (sent) => {
    const rows = Array.from({ length: 400 }, (_, row) => `${row % 10},row ${row}\n`);
    await writeFile(join(folder, 'keys.csv'), `id,v\n${rows.join('')}`);
    await db.query('create table keys (id int primary key, v text)');
    const settings = { concurrency: 3, chunkSize: 10, checkSuperseded: sent };
    const loads = [{ table: 'keys', files: ['keys.csv'], strategy: 'partitioned' as const }];
    const { plan, report } = await load(db.url, { settings, loads }, options());
    expect(plan.loads[0]?.dropSuperseded).toBe(!sent);
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 400, inserted: 10, superseded: 390 });
    expect(await db.query('select v from keys order by id')).toEqual(
      Array.from({ length: 10 }, (_, id) => ({ v: `row ${390 + id}` })),
    );
    await db.query('drop table keys');
  });

  it('is read once to find its parts; each is one COPY; the ledger has the file once', async () => {
    // Rows in the order of the key would be copied into the table by shares.
    const rows = Array.from({ length: 400 }, (_, row) => `${(row * 113) % 400},value ${row}\n`);
    await writeFile(join(folder, 'counted.csv'), `id,v\n${rows.join('')}`);
    await db.query('create table counted (id int primary key, v text)');
    const events: RunEvent[] = [];
    const orders = new Map<string, number>();
    const planned = await planJob(db.url, job('counted', ['counted.csv']), options());
    const parts = planned.loads[0]?.units.length ?? 0;
    const handle = runWith(
      planned,
      { databaseUrl: db.url, log: silentLog },
      {
        createPool: countedPool(orders),
        random: () => 0,
        sleep: (ms) => sleep(ms),
      },
    );
    for await (const event of handle) events.push(event);
    expect((await handle.report).loads[0]?.files).toMatchObject([
      { status: 'loaded', rowsRead: 400, attempts: 1 },
    ]);
    expect(parts).toBeGreaterThan(5);
    expect([...orders]).toEqual([
      ['split-scan', 1],
      ['shared-staging', parts],
      ['owner', 1],
    ]);
    const kinds = events.map((event) => event.kind);
    for (const kind of ['file-started', 'file-staged', 'file-merging', 'file-finished'] as const) {
      expect(kinds.filter((each) => each === kind)).toHaveLength(1);
    }
    const content = await readFile(join(folder, 'counted.csv'));
    expect(
      await db.query(
        `select path, rows_read, content_hash from etl.ledger where path like '%/counted.csv'`,
      ),
    ).toEqual([
      {
        path: join(folder, 'counted.csv'),
        rows_read: '400',
        content_hash: createHash('sha256').update(content).digest('hex'),
      },
    ]);
    const again = await load(db.url, job('counted', ['counted.csv']), options());
    expect(again.report.loads[0]?.files).toMatchObject([{ status: 'skipped' }]);
  });

  it.each([
    ['a value that COPY refuses', 'id,v\n', (id: number) => `${id},"a\nb"\n`, 'x,bad\n'],
    ['a value that no cast takes', 'id,j\n', (id: number) => `${id},{}\n`, '7,{\n'],
    ['too few fields', 'id,v\n', (id: number) => `${id},"a\r\nb"\n`, '7\n'],
    ['a quote that swallows a line end', 'id,v\n', (id: number) => `${id},ab\n`, '7,a"b\n'],
    ['a quote that never closes', 'id,v\n', (id: number) => `${id},ab\n`, '7,"b\n'],
  ])('tells %s as the whole file would, and loads nothing', async (_, header, good, bad) => {
    const lines = Array.from({ length: 100 }, (_each, id) => (id === 61 ? bad : good(id)));
    await writeFile(join(folder, 'bad.csv'), header + lines.join(''));
    await db.query('create table bad (id int primary key, v varchar(10), j json)');
    const whole = await load(db.url, job('bad', ['bad.csv'], 1), options());
    const parts = await load(db.url, job('bad', ['bad.csv']), options());
    expect(parts.plan.loads[0]?.units.length).toBeGreaterThan(4);
    expect(whole.report.error?.facts.line).toBeGreaterThan(60);
    expect(parts.report.error).toEqual(whole.report.error);
    expect(parts.report.loads[0]?.files).toMatchObject([{ status: 'failed' }]);
    expect(await db.query('select count(*) from bad')).toEqual([{ count: '0' }]);
    await db.query('drop table bad');
  });

  it('of Parquet tells the row of a bad value as the whole file would', async () => {
    const ids = Array.from({ length: 50 }, (_, id) => (id === 41 ? 70_000 : id));
    const columnData = [{ name: 'id', data: ids, type: 'INT32' as const }];
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 5 }));
    await writeFile(join(folder, 'bad.parquet'), bytes);
    await db.query('create table small (id smallint primary key)');
    const whole = await load(db.url, job('small', ['bad.parquet'], 1), options());
    const parts = await load(db.url, job('small', ['bad.parquet']), options());
    expect(parts.plan.loads[0]?.units).toHaveLength(5);
    expect(whole.report.error?.facts).toMatchObject({ file: 'bad.parquet' });
    expect(parts.report.error).toEqual(whole.report.error);
  });

  it('loads a part again whose connection was lost', async () => {
    const ids = Array.from({ length: 60 }, (_, row) => (row * 7) % 60);
    const rows = ids.map((id) => `${id},${id === 40 ? 'stage bomb' : 'v'}\n`);
    await writeFile(join(folder, 'bomb.csv'), `id,v\n${rows.join('')}`);
    await db.query('create table bombed (id int primary key, v fault_staged)');
    await db.query(armSql('stage', 0));
    const { plan, report } = await load(db.url, job('bombed', ['bomb.csv']), options());
    expect(plan.loads[0]?.units.length).toBeGreaterThan(4);
    expect(report.loads[0]?.files).toMatchObject([{ status: 'loaded', attempts: 2, rowsRead: 60 }]);
    expect(await db.query('select count(*) from bombed')).toEqual([{ count: '60' }]);
  });

  it('fills a new table before its key, by several workers', async () => {
    await writeFile(join(folder, 'fresh.csv'), numbered(0, 12_000));
    const made = job('made', ['fresh.csv']);
    const { plan, report } = await load(db.url, made, { ...options(20_000), threads: true });
    const [planned] = plan.loads;
    expect(planned).toMatchObject({ strategy: 'partitioned', fillBeforeKey: true, concurrency: 3 });
    expect(report.loads[0]?.files).toMatchObject([
      { status: 'loaded', inserted: 12_000, superseded: 0, attempts: 1 },
    ]);
    expect(await db.query('select count(*), sum(id) from made')).toEqual([
      { count: '12000', sum: '71994000' },
    ]);
  });

  it('goes through staging where its new table meets a key twice', async () => {
    await writeFile(join(folder, 'twice.csv'), `${numbered(0, 12_000)}5,again\n`);
    const planned = structuredClone(
      await planJob(db.url, job('twice', ['twice.csv']), options(20_000)),
    );
    Object.assign(planned.loads[0] ?? {}, { fillBeforeKey: true });
    const events: RunEvent[] = [];
    const report = await runPlan(db.url, planned, { onEvent: (event) => events.push(event) });
    expect(report.loads[0]).toMatchObject({
      strategy: 'partitioned',
      totals: { rowsRead: 12_001, inserted: 12_000, superseded: 1 },
    });
    expect(events.filter((event) => event.kind === 'notice')).toHaveLength(1);
    expect(await db.query('select v from twice where id = 5')).toEqual([{ v: 'again' }]);
  });

  it('is chosen by itself where one large file would keep one worker busy', async () => {
    // New rows in the order of the key would be copied into the table directly.
    const rows = Array.from(
      { length: 300_000 },
      (_, row) => `${(row * 113_777) % 300_000},v${row}`,
    );
    await writeFile(join(folder, 'auto.csv'), `id,v\n${rows.join('\n')}\n`);
    await db.query('create table auto (id int primary key, v text)');
    const settings = {
      settings: { concurrency: 8, chunkSize: 30_000 },
      loads: [{ table: 'auto', files: ['auto.csv'] }],
    };
    const options = { cwd: folder, partBytesMin: 500_000 };
    const { loads } = await planJob(db.url, settings, { ...options, cores: 8 });
    expect(loads[0]).toMatchObject({ strategy: 'partitioned', concurrency: 8 });
    expect(loads[0]?.reason).toMatch(/^1 large file is split into \d+ parts, so that all workers/);
    // One processor alone has to do whatever work the parts add.
    const { loads: narrow } = await planJob(db.url, settings, { ...options, cores: 1 });
    expect(narrow[0]).toMatchObject({ strategy: 'full-parallel', concurrency: 1 });
  });

  function job(table: string, files: string[], concurrency = 3): Parameters<typeof load>[1] {
    const settings = { concurrency, chunkSize: 10 };
    return { settings, loads: [{ table, files, key: ['id'], strategy: 'partitioned' }] };
  }

  function options(partBytesMin = 50): LoadOptions & { readonly cwd: string } {
    return { cwd: folder, partBytesMin };
  }

  async function writeFiles(table: string, { files, lineEnd }: RandomSplit): Promise<string[]> {
    const names = files.map(({ format }, place) => `${table}-${place}.${format}`);
    for (const [place, file] of files.entries()) {
      await writeFile(join(folder, names[place] ?? ''), contentOf(file, lineEnd));
    }
    return names;
  }
});

function numbered(from: number, count: number): string {
  const lines = Array.from({ length: count }, (_, row) => `${from + row},value ${from + row}\n`);
  return `id,v\n${lines.join('')}`;
}
