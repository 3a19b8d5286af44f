import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { connect } from '../../src/target/connect.ts';
import { lockTable } from '../../src/target/run-record.ts';
import { expectTold, type EtlEnd } from '../support/etl.ts';
import { planJob, runPlan } from '../support/load.ts';
import { statusesOf, useScene } from '../support/scene.ts';

/** Two runs at once: on one table the second is refused, on different tables both go on. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);
const FILES = { 'a.csv': 'id,name\n1,a\n2,a\n', 'b.csv': 'id,name\n2,b\n3,b\n' };

/** Begins a run that stops at its merge, since the test holds the table; `release` lets it go on. */
async function heldRun(): Promise<{
  readonly runId: string;
  readonly release: () => Promise<EtlEnd>;
}> {
  const locker = await scene.db.client();
  await locker.query(`begin; lock table ${scene.table} in exclusive mode`);
  let merging: (runId: string) => void = () => undefined;
  const held = new Promise<string>((resolve) => (merging = resolve));
  let runId = '';
  const end = scene.run(['*.csv', '--concurrency', '1'], {
    onEvent: (event) => {
      if (event.kind === 'run-started') runId = event.runId;
      if (event.kind === 'file-merging') merging(runId);
    },
  });
  const release = async (): Promise<EtlEnd> => {
    await locker.query('rollback');
    await locker.end();
    return end;
  };
  return { runId: await held, release };
}

test('the second run on a table is refused, and told by whom', async () => {
  await scene.write(FILES);
  const startedAt = Date.now();
  const { runId, release } = await heldRun();
  const second = await scene.run(['*.csv']);
  const first = await release();

  expectTold(second, 'ETL_LOCKED', 2, { table: `public.${scene.table}` });
  const said = second.stderr.replaceAll(/\s+/g, ' ');
  expect(said).toContain(`run ${runId} on ${hostname()} (process ${process.pid})`);
  const since = Date.parse(/started (\S+Z)/.exec(said)?.[1] ?? '');
  expect(since).toBeGreaterThanOrEqual(startedAt - 1000);
  expect(since).toBeLessThanOrEqual(Date.now() + 1000);
  expect([first.code, statusesOf(first.report)]).toEqual([0, ['loaded', 'loaded']]);

  const third = await scene.run(['*.csv']);
  expect([third.code, statusesOf(third.report)]).toEqual([0, ['skipped', 'skipped']]);
  const ends = await scene.db.query(
    `select status from etl.run order by started_at desc, run_id desc limit 3`,
  );
  expect(ends.map(({ status }) => status).sort()).toEqual(['failed', 'loaded', 'loaded']);
});

test('a run on another table goes on meanwhile', async () => {
  await scene.write(FILES);
  const { release } = await heldRun();
  await scene.db.query(`create table ${scene.table}_other (id int primary key, name text)`);
  const other = await scene.run(['*.csv', '--table', `${scene.table}_other`]);
  expect([other.code, statusesOf(other.report)]).toEqual([0, ['loaded', 'loaded']]);
  expect((await release()).code).toBe(0);
  const [same] = await scene.db.query(
    `select count(*)::int as n from (table ${scene.table} except table ${scene.table}_other) x`,
  );
  expect(same).toEqual({ n: 0 });
});

test('the record of a run that died does not stop anybody', async () => {
  await scene.write(FILES);
  expect((await scene.run(['a.csv'])).code).toBe(0);
  await scene.db.query(
    `insert into etl.run (run_id, plan_id, tables, host, pid)
     values ($1, 'p', array[$2::regclass::oid], 'gone', 1)`,
    [`dead-${scene.table}`, scene.table],
  );
  expect((await scene.run(['*.csv'])).code).toBe(0);
});

test('two runs that create the same table at once: one loads it, the other loads or says why not', async () => {
  await scene.write(FILES);
  await scene.db.query(`drop schema if exists etl cascade`);
  const words = ['*.csv', '--table', `${scene.table}_new`, '--key', 'id'];
  const ends = await Promise.all([scene.run(words), scene.run(words)]);
  const codes = ends.map((end) => end.code);
  expect(codes).toContain(0);
  for (const end of ends.filter(({ code }) => code !== 0)) {
    expect(['ETL_LOCKED', 'ETL_PLAN_STALE']).toContain(end.error?.code);
  }
  const loaded = await scene.db.query(`select id, name from ${scene.table}_new order by id`);
  expect(loaded).toEqual([
    { id: expect.anything() as unknown, name: 'a' },
    { id: expect.anything() as unknown, name: 'b' },
    { id: expect.anything() as unknown, name: 'b' },
  ]);
});

test('with --wait the second run loads what the first has left', async () => {
  await scene.write(FILES);
  const { runId, release } = await heldRun();
  await scene.write({ 'c.csv': 'id,name\n3,c\n4,c\n' });
  const notices: string[] = [];
  const second = scene.run(['*.csv', '--wait', '60'], {
    onEvent: (event) => {
      if (event.kind === 'notice') notices.push(event.sentence);
    },
  });
  await expect.poll(() => notices, { timeout: 10_000 }).toHaveLength(1);
  const first = await release();
  expect([first.code, statusesOf(first.report)]).toEqual([0, ['loaded', 'loaded']]);

  const end = await second;
  expect([end.code, end.stderr]).toEqual([0, 'The table was loaded meanwhile; planning again.\n']);
  expect(notices[0]).toContain(`run ${runId} on ${hostname()} (process ${process.pid}), started `);
  expect(notices[0]).toContain('Waiting for it, up to 60 s.');
  expect(statusesOf(end.report)).toEqual(['skipped', 'skipped', 'loaded']);
  expect(await scene.db.query(`select * from ${scene.table} order by id`)).toEqual([
    { id: 1, name: 'a' },
    { id: 2, name: 'b' },
    { id: 3, name: 'c' },
    { id: 4, name: 'c' },
  ]);
});

test('a table that changed while a run waited for it is not loaded as it was planned', async () => {
  const { db, folder, table } = scene;
  await scene.write(FILES);
  expect((await scene.run(['a.csv'])).code).toBe(0);
  const session = { applicationName: 'holder', connectTimeoutMs: 10_000, session: {} };
  const holder = await connect({ ...session, databaseUrl: db.url });
  const [found] = await db.query(`select $1::regclass::oid::int8 as oid`, [table]);
  await lockTable(holder, 'etl', 'nobody', { oid: Number(found?.['oid']), sqlName: table });
  const job = { settings: { wait: 60 }, loads: [{ table, files: ['b.csv'] }] };
  const plan = await planJob(db.url, job, { cwd: folder });
  const notices: string[] = [];
  const running = runPlan(db.url, plan, {
    onEvent: (event) => {
      if (event.kind === 'notice') notices.push(event.sentence);
    },
  });
  const ended = expect(running).rejects.toMatchObject({ code: 'ETL_PLAN_STALE' });
  await expect.poll(() => notices, { timeout: 10_000 }).toHaveLength(1);
  await db.query(`alter table ${table} alter name type varchar(9)`);
  await holder.end();
  await ended;
  expect(await db.query(`select id from ${table} order by id`)).toEqual([{ id: 1 }, { id: 2 }]);
});

test('--wait has a bound, and an interrupt ends it', async () => {
  await scene.write(FILES);
  const { runId, release } = await heldRun();
  const late = await scene.run(['*.csv', '--wait', '1']);
  expectTold(late, 'ETL_LOCKED', 2, { table: `public.${scene.table}` });
  expect(late.error?.sentence).toContain(`run ${runId}`);
  expect(late.error?.sentence).toContain('was so for 1 s');

  const interrupt = new AbortController();
  const stopped = await scene.run(['*.csv', '--wait', '60'], {
    signal: interrupt.signal,
    onEvent: (event) => {
      if (event.kind === 'notice') interrupt.abort();
    },
  });
  expect([stopped.code, statusesOf(stopped.report)]).toEqual([130, ['not-loaded', 'not-loaded']]);
  expect((await release()).code).toBe(0);
});

test('a plan of before another run is not obeyed: no row is appended twice', async () => {
  await scene.write(FILES);
  await scene.db.query(`create table ${scene.table}_log (id int, name text)`);
  const load = { table: `${scene.table}_log`, files: ['*.csv'], onConflict: 'append' as const };
  const options = { cwd: scene.folder };
  const early = await planJob(scene.db.url, { loads: [load] }, options);
  const forced = await planJob(scene.db.url, { loads: [load] }, { ...options, force: true });
  expect((await runPlan(scene.db.url, early, {})).status).toBe('loaded');
  for (const stale of [early, forced]) {
    await expect(runPlan(scene.db.url, stale, {})).rejects.toMatchObject({
      code: 'ETL_PLAN_STALE',
      record: { facts: { file: 'a.csv' } },
    });
  }
  const rows = `select count(*)::int as n from ${scene.table}_log`;
  expect(await scene.db.query(rows)).toEqual([{ n: 4 }]);

  const again = await planJob(scene.db.url, { loads: [load] }, { ...options, force: true });
  expect((await runPlan(scene.db.url, again, {})).status).toBe('loaded');
  expect(await scene.db.query(rows)).toEqual([{ n: 8 }]);
});
