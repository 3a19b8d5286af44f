import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Plan } from '../../src/plan/plan-types.ts';
import { load, planJob, runPlan } from '../support/load.ts';
import { CASES_LIMIT_MS, expectAsOracle, forCases } from '../support/promise.ts';
import { csvWithLineEnds } from '../support/random-load.ts';
import { randomShares, SHARE_COLUMNS, sharesOf } from '../support/random-shares.ts';
import { useShares } from '../support/shares-scene.ts';

/**
 * A large file whose rows are new and sorted is copied into the table by all workers at once; and
 * whatever its rows are, the table ends as if it had been loaded row by row.
 */
const scene = useShares();
const { counted, job, options } = scene;

test.each([true, false])(
  'are each one COPY into the table; the ledger has the file once (prepared: %s)',
  async (prepared) => {
    const [table, file] = [`counted_${prepared}`, `counted-${prepared}.csv`];
    await writeFile(join(scene.folder, file), numbered(100, 4_000));
    await scene.db.query(`create table ${table} (id int primary key, v text)`);
    await scene.db.query(`insert into ${table} values (7, 'held')`);
    const planned = withPrepared(
      await planJob(scene.db.url, job(table, file), options()),
      prepared,
    );
    expect(planned.loads[0]).toMatchObject({ strategy: 'partitioned', concurrency: 3 });
    expect(planned.loads[0]?.directShares?.shares).toHaveLength(3);
    const { report, orders } = await counted(planned);
    expect(orders).toEqual([['direct-share', 3]]);
    expect(report.loads[0]?.files).toMatchObject([
      { status: 'loaded', rowsRead: 4_000, inserted: 4_000, updated: 0, attempts: 1 },
    ]);
    expect(await scene.db.query(`select count(*), sum(id) from ${table}`)).toEqual([
      { count: '4001', sum: String(4_000 * 100 + (4_000 * 3_999) / 2 + 7) },
    ]);
    const content = await readFile(join(scene.folder, file));
    expect(
      await scene.db.query(
        `select rows_read, inserted, content_hash from etl.ledger where path like '%/${file}'`,
      ),
    ).toEqual([
      {
        rows_read: '4000',
        inserted: '4000',
        content_hash: createHash('sha256').update(content).digest('hex'),
      },
    ]);
    const again = await load(scene.db.url, job(table, file), options());
    expect(again.report.loads[0]?.files).toMatchObject([{ status: 'skipped' }]);
  },
);

test(
  'leave the table that a sequential load leaves, whatever the rows are',
  async () => {
    let [copied, staged] = [0, 0];
    await forCases(80, randomShares, async (random, table) => {
      const name = `${table}.csv`;
      const rows = { columns: SHARE_COLUMNS, rows: random.rows };
      await writeFile(join(scene.folder, name), csvWithLineEnds(rows, random.lineEnd));
      for (const each of [table, `${table}_oracle`]) {
        await scene.db.query(`create table ${each} (k int primary key, v text, version int)`);
        await scene.db.query(`insert into ${each} select k, 'old', 2 from unnest($1::int[]) k`, [
          random.held,
        ]);
      }
      const { concurrency, onConflict, prepared } = random;
      const versionColumn = onConflict === 'newest' ? 'version' : null;
      const own = { table, files: [name], onConflict, versionColumn };
      const settings = { concurrency, chunkSize: 3 };
      const loads = [{ ...own, strategy: 'partitioned' as const }];
      const planned = await planJob(scene.db.url, { settings, loads }, options());
      const plan = sharesOf(withPrepared(planned, prepared), concurrency);
      const notices: string[] = [];
      const report = await runPlan(scene.db.url, plan, {
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
        scene.db,
        { table, columns: SHARE_COLUMNS, key: ['k'], onConflict, versionColumn: 'version' },
        [rows],
      );
      await scene.db.query(`drop table ${table}, ${table}_oracle`);
    });
    expect(copied).toBeGreaterThan(5);
    expect(staged).toBeGreaterThan(5);
  },
  CASES_LIMIT_MS,
);

test('are chosen by themselves where one worker would copy a large file', async () => {
  const rows = Array.from({ length: 300_000 }, (_, row) => `${row},v${row}`);
  await writeFile(join(scene.folder, 'auto.csv'), `id,v\n${rows.join('\n')}\n`);
  await scene.db.query('create table auto (id int primary key, v text)');
  const asked = {
    settings: { concurrency: 2, chunkSize: 30_000 },
    loads: [{ table: 'auto', files: ['auto.csv'] }],
  };
  const planOn = async (cores: number) =>
    (await planJob(scene.db.url, asked, { cwd: scene.folder, partBytesMin: 500_000, cores }))
      .loads[0];
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

test.each([
  ['are cut where the first column of a key changes', 20, false],
  ['are staged where it never does near a cut', 5_000, true],
])('%s', async (_, rowsPerDay, falls) => {
  const rows = Array.from({ length: 10_000 }, (_each, row) => {
    const day = new Date(Date.UTC(2025, 0, 1 + Math.floor(row / rowsPerDay)));
    return `${day.toISOString().slice(0, 10)},${row % rowsPerDay},v\n`;
  });
  await writeFile(join(scene.folder, 'days.csv'), `day,n,v\n${rows.join('')}`);
  await scene.db.query('create table days (day date, n int, v text, primary key (day, n))');
  const own = { table: 'days', files: ['days.csv'], key: ['day', 'n'] };
  const asked = { ...own, strategy: 'partitioned' as const };
  const notices: string[] = [];
  const settings = { concurrency: 3, chunkSize: 50 };
  const planned = await planJob(scene.db.url, { settings, loads: [asked] }, options());
  expect(planned.loads[0]?.directShares === undefined).toBe(falls);
  const report = await runPlan(scene.db.url, sharesOf(planned, 3), {
    onEvent: (event) => {
      if (event.kind === 'notice') notices.push(event.sentence);
    },
  });
  expect(notices.some((text) => text.includes('They are staged instead'))).toBe(falls);
  expect([report.error, report.loads[0]?.totals.inserted]).toEqual([null, 10_000]);
  expect(
    await scene.db.query('select count(*), count(distinct (day, n)) as keys from days'),
  ).toEqual([{ count: '10000', keys: '10000' }]);
  await scene.db.query('drop table days');
});

test('are copied by threads, of several files, each cut where the shares meet', async () => {
  await writeFile(join(scene.folder, 'several-1.csv'), numbered(0, 300));
  await writeFile(join(scene.folder, 'several-2.csv'), numbered(300, 4_000));
  await writeFile(join(scene.folder, 'several-3.csv'), numbered(4_300, 300));
  await scene.db.query('create table several (id int primary key, v text)');
  const { plan, report } = await load(scene.db.url, job('several', 'several-*.csv'), {
    ...options(),
    threads: true,
  });
  const shares = plan.loads[0]?.directShares?.shares ?? [];
  expect(shares.map((share) => share.map(({ files }) => files[0]))).toEqual([[0, 1], [1], [1, 2]]);
  expect(report.loads[0]?.files.map(({ inserted }) => inserted)).toEqual([300, 4_000, 300]);
  expect(await scene.db.query('select count(*), sum(id) from several')).toEqual([
    { count: '4600', sum: String((4_600 * 4_599) / 2) },
  ]);
});

test.each([
  ['falling', (row: number) => 10_000 - row, {}],
  ['with onError quarantine', (row: number) => row, { onError: 'quarantine' as const }],
  ['by one worker', (row: number) => row, { concurrency: 1 }],
])('are none of a file %s', async (_, idOf, settings) => {
  const rows = Array.from({ length: 2_000 }, (_each, row) => `${idOf(row)},v${row}\n`);
  await writeFile(join(scene.folder, 'none.csv'), `id,v\n${rows.join('')}`);
  await scene.db.query('create table none (id int primary key, v text)');
  const asked = job('none', 'none.csv');
  const planned = await planJob(
    scene.db.url,
    { ...asked, settings: { ...asked.settings, ...settings } },
    options(),
  );
  expect(planned.loads[0]?.directShares).toBeUndefined();
  await scene.db.query('drop table none');
});

function withPrepared(plan: Plan, prepared: boolean): Plan {
  return prepared ? plan : { ...plan, server: { ...plan.server, maxPreparedTransactions: 0 } };
}

function numbered(from: number, count: number): string {
  const lines = Array.from({ length: count }, (_, row) => `${from + row},value ${from + row}\n`);
  return `id,v\n${lines.join('')}`;
}
