import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/log.ts';
import type { Plan } from '../../src/plan/plan-types.ts';
import { runWith } from '../../src/run/run.ts';
import { countedPool } from '../support/counted-pool.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { armSql, closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { load, planJob, runPlan, type LoadOptions } from '../support/load.ts';
import { CASES_LIMIT_MS, expectAsOracle, forCases } from '../support/promise.ts';
import { csvWithLineEnds } from '../support/random-load.ts';
import { randomShares, SHARE_COLUMNS, sharesOf } from '../support/random-shares.ts';

/**
 * A large file whose rows are new and sorted is copied into the table by all workers at once; and
 * whatever its rows are, the table ends as if it had been loaded row by row.
 */
describe('shares of a sorted file', () => {
  let db: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.query(FAULTS);
    folder = await mkdtemp(join(tmpdir(), 'etl-shares-'));
  });
  afterEach(() => expectNoLeaks(db.url));
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it.each([true, false])(
    'are each one COPY into the table; the ledger has the file once (prepared: %s)',
    async (prepared) => {
      const [table, file] = [`counted_${prepared}`, `counted-${prepared}.csv`];
      await writeFile(join(folder, file), numbered(100, 4_000));
      await db.query(`create table ${table} (id int primary key, v text)`);
      await db.query(`insert into ${table} values (7, 'held')`);
      const planned = withPrepared(await planJob(db.url, job(table, file), options()), prepared);
      expect(planned.loads[0]).toMatchObject({ strategy: 'partitioned', concurrency: 3 });
      expect(planned.loads[0]?.directShares?.shares).toHaveLength(3);
      const { report, orders } = await counted(planned);
      expect(orders).toEqual([['direct-share', 3]]);
      expect(report.loads[0]?.files).toMatchObject([
        { status: 'loaded', rowsRead: 4_000, inserted: 4_000, updated: 0, attempts: 1 },
      ]);
      expect(await db.query(`select count(*), sum(id) from ${table}`)).toEqual([
        { count: '4001', sum: String(4_000 * 100 + (4_000 * 3_999) / 2 + 7) },
      ]);
      const content = await readFile(join(folder, file));
      expect(
        await db.query(
          `select rows_read, inserted, content_hash from etl.ledger where path like '%/${file}'`,
        ),
      ).toEqual([
        {
          rows_read: '4000',
          inserted: '4000',
          content_hash: createHash('sha256').update(content).digest('hex'),
        },
      ]);
      const again = await load(db.url, job(table, file), options());
      expect(again.report.loads[0]?.files).toMatchObject([{ status: 'skipped' }]);
    },
  );

  it(
    'leave the table that a sequential load leaves, whatever the rows are',
    async () => {
      let [copied, staged] = [0, 0];
      await forCases(80, randomShares, async (random, table) => {
        const name = `${table}.csv`;
        const rows = { columns: SHARE_COLUMNS, rows: random.rows };
        await writeFile(join(folder, name), csvWithLineEnds(rows, random.lineEnd));
        for (const each of [table, `${table}_oracle`]) {
          await db.query(`create table ${each} (k int primary key, v text, version int)`);
          await db.query(`insert into ${each} select k, 'old', 2 from unnest($1::int[]) k`, [
            random.held,
          ]);
        }
        const { concurrency, onConflict, prepared } = random;
        const versionColumn = onConflict === 'newest' ? 'version' : null;
        const own = { table, files: [name], onConflict, versionColumn };
        const settings = { concurrency, chunkSize: 3 };
        const loads = [{ ...own, strategy: 'partitioned' as const }];
        const planned = await planJob(db.url, { settings, loads }, options());
        const plan = sharesOf(withPrepared(planned, prepared), concurrency);
        const notices: string[] = [];
        const report = await runPlan(db.url, plan, {
          onEvent: (event) => {
            if (event.kind === 'notice') notices.push(event.sentence);
          },
        });
        expect(report.error).toBeNull();
        expect(report.loads[0]?.totals.rowsRead).toBe(random.rows.length);
        if (plan.loads[0]?.directShares !== undefined) {
          const fellBack = notices.some((sentence) => sentence.includes('They are staged instead'));
          if (fellBack) staged += 1;
          else copied += 1;
        }
        await expectAsOracle(
          db,
          { table, columns: SHARE_COLUMNS, key: ['k'], onConflict, versionColumn: 'version' },
          [rows],
        );
        await db.query(`drop table ${table}, ${table}_oracle`);
      });
      expect(copied).toBeGreaterThan(5);
      expect(staged).toBeGreaterThan(5);
    },
    CASES_LIMIT_MS,
  );

  it.each([
    ['a key that comes twice', (id: number) => (id === 3_000 ? `${id - 1},again` : `${id},v`)],
    ['a row out of order', (id: number) => (id === 3_000 ? `50,early` : `${id},v`)],
    ['a bad value', (id: number) => (id === 3_000 ? `${id},"a` : `${id},v`)],
  ])('of a file with %s roll back, and it is staged', async (_, rowOf) => {
    const rows = Array.from({ length: 4_000 }, (_each, row) => `${rowOf(100 + row)}\n`);
    await writeFile(join(folder, 'turn.csv'), `id,v\n${rows.join('')}`);
    await db.query('create table turn (id int primary key, v text)');
    const plan = sharesOf(await planJob(db.url, job('turn', 'turn.csv'), options()), 3);
    expect(plan.loads[0]?.directShares?.shares).toHaveLength(3);
    const notices: string[] = [];
    const report = await runPlan(db.url, plan, {
      onEvent: (event) => {
        if (event.kind === 'notice') notices.push(event.sentence);
      },
    });
    const told = notices.filter((text) => text.includes('They are staged instead'));
    expect(told).toHaveLength(1);
    // What went wrong, and not that the others were stopped for it.
    expect(told[0]).toMatch(/duplicate key|are not where|quote/);
    const bad = rowOf(3_000).includes('"');
    expect(report.loads[0]?.files[0]?.status).toBe(bad ? 'failed' : 'loaded');
    const [{ count } = { count: '' }] = await db.query<{ count: string }>(
      'select count(*) from turn',
    );
    expect(Number(count)).toBe(bad ? 0 : new Set(rows.map((row) => row.split(',')[0])).size);
    await db.query('drop table turn');
  });

  it('that lose a backend amid the copy are staged by the same run', async () => {
    const rows = Array.from({ length: 900 }, (_, id) => `${id},${id === 500 ? 'stage bomb' : 'v'}`);
    await writeFile(join(folder, 'bomb.csv'), `id,v\n${rows.join('\n')}\n`);
    await db.query('create table bombed (id int primary key, v fault_staged)');
    await db.query(armSql('stage', 0));
    const { plan, report } = await load(db.url, job('bombed', 'bomb.csv'), options());
    expect(plan.loads[0]?.directShares).toBeDefined();
    expect(report.error).toBeNull();
    expect(await db.query('select count(*) from bombed')).toEqual([{ count: '900' }]);
  });

  it('that are interrupted leave nothing, and the next run copies them', async () => {
    const rows = Array.from({ length: 900 }, (_, id) => `${id},${id === 800 ? 'stage gate' : 'v'}`);
    await writeFile(join(folder, 'gate.csv'), `id,v\n${rows.join('\n')}\n`);
    await db.query('create table gated (id int primary key, v fault_staged)');
    const plan = await planJob(db.url, job('gated', 'gate.csv'), options());
    const gate = await db.client();
    await gate.query(closeGateSql('stage'));
    const abort = new AbortController();
    const running = runPlan(db.url, plan, { signal: abort.signal });
    await untilWaiting(db, 'stage');
    abort.abort();
    const report = await running;
    await gate.end();
    expect(report.loads[0]?.files[0]?.status).toBe('not-loaded');
    expect(await db.query('select count(*) from gated')).toEqual([{ count: '0' }]);
    const next = await counted(await planJob(db.url, job('gated', 'gate.csv'), options()));
    expect([next.report.error, next.orders]).toEqual([null, [['direct-share', 3]]]);
    expect(await db.query('select count(*) from gated')).toEqual([{ count: '900' }]);
  });

  it('are chosen by themselves where one worker would copy a large file', async () => {
    const rows = Array.from({ length: 300_000 }, (_, row) => `${row},v${row}`);
    await writeFile(join(folder, 'auto.csv'), `id,v\n${rows.join('\n')}\n`);
    await db.query('create table auto (id int primary key, v text)');
    const asked = {
      settings: { concurrency: 2, chunkSize: 30_000 },
      loads: [{ table: 'auto', files: ['auto.csv'] }],
    };
    const planOn = async (cores: number) =>
      (await planJob(db.url, asked, { cwd: folder, partBytesMin: 500_000, cores })).loads[0];
    const plan = await planOn(2);
    expect(plan).toMatchObject({ strategy: 'partitioned', concurrency: 2 });
    expect(plan?.reason).toMatch(/copied into the table without staging, by 2 workers at once/);
    expect(plan?.notices.join()).toContain('2 workers copy them into it at once without staging');
    const parts = plan?.directShares?.shares.flat().map(({ part }) => part);
    expect(parts).toMatchObject([
      { index: 0, of: 2 },
      { index: 1, of: 2 },
    ]);
    // Two workers on one processor would do no more than one.
    expect(await planOn(1)).toMatchObject({ strategy: 'full-parallel', concurrency: 1 });
  });

  it.each([
    ['are cut where the first column of a key changes', 20, false],
    ['are staged where it never does near a cut', 5_000, true],
  ])('%s', async (_, rowsPerDay, falls) => {
    const rows = Array.from({ length: 10_000 }, (_each, row) => {
      const day = new Date(Date.UTC(2025, 0, 1 + Math.floor(row / rowsPerDay)));
      return `${day.toISOString().slice(0, 10)},${row % rowsPerDay},v\n`;
    });
    await writeFile(join(folder, 'days.csv'), `day,n,v\n${rows.join('')}`);
    await db.query('create table days (day date, n int, v text, primary key (day, n))');
    const own = { table: 'days', files: ['days.csv'], key: ['day', 'n'] };
    const asked = { ...own, strategy: 'partitioned' as const };
    const notices: string[] = [];
    const settings = { concurrency: 3, chunkSize: 50 };
    const planned = await planJob(db.url, { settings, loads: [asked] }, options());
    expect(planned.loads[0]?.directShares === undefined).toBe(falls);
    const report = await runPlan(db.url, sharesOf(planned, 3), {
      onEvent: (event) => {
        if (event.kind === 'notice') notices.push(event.sentence);
      },
    });
    expect(notices.some((text) => text.includes('They are staged instead'))).toBe(falls);
    expect([report.error, report.loads[0]?.totals.inserted]).toEqual([null, 10_000]);
    expect(await db.query('select count(*), count(distinct (day, n)) as keys from days')).toEqual([
      { count: '10000', keys: '10000' },
    ]);
    await db.query('drop table days');
  });

  it('are copied by threads, of several files, each cut where the shares meet', async () => {
    await writeFile(join(folder, 'several-1.csv'), numbered(0, 300));
    await writeFile(join(folder, 'several-2.csv'), numbered(300, 4_000));
    await writeFile(join(folder, 'several-3.csv'), numbered(4_300, 300));
    await db.query('create table several (id int primary key, v text)');
    const { plan, report } = await load(db.url, job('several', 'several-*.csv'), {
      ...options(),
      threads: true,
    });
    const shares = plan.loads[0]?.directShares?.shares ?? [];
    expect(shares.map((share) => share.map(({ files }) => files[0]))).toEqual([
      [0, 1],
      [1],
      [1, 2],
    ]);
    expect(report.loads[0]?.files.map(({ inserted }) => inserted)).toEqual([300, 4_000, 300]);
    expect(await db.query('select count(*), sum(id) from several')).toEqual([
      { count: '4600', sum: String((4_600 * 4_599) / 2) },
    ]);
  });

  it.each([
    ['falling', (row: number) => 10_000 - row, {}],
    ['with onError quarantine', (row: number) => row, { onError: 'quarantine' as const }],
    ['by one worker', (row: number) => row, { concurrency: 1 }],
  ])('are none of a file %s', async (_, idOf, settings) => {
    const rows = Array.from({ length: 2_000 }, (_each, row) => `${idOf(row)},v${row}\n`);
    await writeFile(join(folder, 'none.csv'), `id,v\n${rows.join('')}`);
    await db.query('create table none (id int primary key, v text)');
    const asked = job('none', 'none.csv');
    const planned = await planJob(
      db.url,
      { ...asked, settings: { ...asked.settings, ...settings } },
      options(),
    );
    expect(planned.loads[0]?.directShares).toBeUndefined();
    await db.query('drop table none');
  });

  async function counted(planned: Plan) {
    const orders = new Map<string, number>();
    const handle = runWith(
      planned,
      { databaseUrl: db.url, log: silentLog },
      {
        createPool: countedPool(orders),
        random: () => 0,
        sleep: (ms) => sleep(ms),
      },
    );
    for await (const event of handle) expect(event.kind).not.toBe('unit-retried');
    return { report: await handle.report, orders: [...orders] };
  }

  function job(table: string, file: string): Parameters<typeof load>[1] {
    return {
      settings: { concurrency: 3, chunkSize: 50 },
      loads: [{ table, files: [file], key: ['id'], strategy: 'partitioned' }],
    };
  }

  function options(): LoadOptions & { readonly cwd: string } {
    return { cwd: folder, partBytesMin: 30 };
  }
});

function withPrepared(plan: Plan, prepared: boolean): Plan {
  return prepared ? plan : { ...plan, server: { ...plan.server, maxPreparedTransactions: 0 } };
}

function numbered(from: number, count: number): string {
  const lines = Array.from({ length: count }, (_, row) => `${from + row},value ${from + row}\n`);
  return `id,v\n${lines.join('')}`;
}
