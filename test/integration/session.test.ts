import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EtlError } from '../../src/errors.ts';
import type { Settings, Strategy } from '../../src/job/schema.ts';
import {
  databaseUrlOf,
  createTestDatabase,
  expectNoLeaks,
  type TestDatabase,
} from '../support/database.ts';
import { load, planJob, runPlan } from '../support/load.ts';

/** What the sessions that load are really set to: the default of a column writes it down. */

let db: TestDatabase;
let folder = '';

beforeAll(async () => {
  db = await createTestDatabase();
  await db.query(`
    create table seen (name text, value text, application text);
    create function noted() returns boolean language plpgsql as $$
    begin
      insert into seen
        select name, current_setting(name), current_setting('application_name')
          from unnest(array['work_mem', 'maintenance_work_mem', 'temp_buffers', 'jit',
                            'synchronous_commit', 'random_page_cost', 'timezone']) name;
      return true;
    end $$;
    create function see() returns trigger language plpgsql as $$
    begin
      perform noted();
      return null;
    end $$`);
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-session-'));
  await writeFile(join(folder, '1.csv'), 'id,name\n1,a\n2,b\n');
  await writeFile(join(folder, '2.csv'), 'id,name\n2,c\n3,d\n');
  await db.query(`
    truncate seen;
    create table t (id bigint primary key, name text, is_noted boolean default noted())`);
});

afterEach(async () => {
  await db.query('drop table if exists t, made; drop schema if exists etl cascade');
  await rm(folder, { recursive: true });
  await expectNoLeaks(db.url);
});

afterAll(() => db.drop());

function jobOf(session: Settings['session'], strategy: Strategy = 'full-parallel', table = 't') {
  const settings = { concurrency: 2, session };
  return { settings, loads: [{ files: ['*.csv'], table, key: ['id'], strategy }] };
}

async function seen(): Promise<Record<string, string>> {
  const rows = await db.query<{ name: string; values: string[] }>(
    'select name, array_agg(distinct value) as values from seen group by name',
  );
  return Object.fromEntries(rows.map(({ name, values }) => [name, values.join(' and ')]));
}

async function refusal(work: Promise<unknown>): Promise<EtlError> {
  const error: unknown = await work.then(
    () => null,
    (failure: unknown) => failure,
  );
  if (!(error instanceof EtlError)) throw new Error('it was not refused', { cause: error });
  return error;
}

describe.each(['full-parallel', 'sequential', 'partitioned'] as const)('%s', (strategy) => {
  test('the sessions that merge have what the plan says', async () => {
    const { plan, report } = await load(db.url, jobOf({}, strategy), { cwd: folder });
    expect(report.status).toBe('loaded');
    const planned = Object.fromEntries(plan.session.map(({ name, value }) => [name, value]));
    expect(await seen()).toMatchObject({
      work_mem: planned['work_mem'],
      maintenance_work_mem: planned['maintenance_work_mem'],
      temp_buffers: planned['temp_buffers'],
      jit: 'off',
      timezone: 'UTC',
    });
  });

  test('and what the job says wins', async () => {
    const session = { work_mem: '7MB', temp_buffers: 2048, jit: true, random_page_cost: 1.25 };
    const { plan } = await load(db.url, jobOf(session, strategy), { cwd: folder });
    expect(await seen()).toMatchObject({
      work_mem: '7MB',
      temp_buffers: '16MB',
      jit: 'on',
      random_page_cost: '1.25',
    });
    expect(plan.session).toContainEqual({
      name: 'work_mem',
      value: '7MB',
      from: 'job',
      why: 'as the job says',
    });
  });
});

describe('durability', () => {
  const COMMITS = `
    create table commits (tag text, value text);
    create function see_ddl() returns event_trigger language plpgsql as $$
    begin
      insert into public.commits
        select object_type || ' ' || schema_name, current_setting('synchronous_commit')
          from pg_event_trigger_ddl_commands() where object_type = 'table';
    end $$;
    create event trigger see_ddl on ddl_command_end execute function see_ddl()`;
  const commits = (): Promise<{ tag: string; value: string }[]> =>
    db.query('select distinct tag, value from commits order by 1, 2');

  afterEach(() =>
    db.query(
      'drop event trigger if exists see_ddl; drop function if exists see_ddl; drop table if exists commits',
    ),
  );

  test('a merge waits for the disk, the making of its staging does not', async () => {
    await load(db.url, jobOf({}), { cwd: folder });
    await db.query(`truncate seen; ${COMMITS}`);
    await load(db.url, jobOf({ synchronous_commit: 'on' }), { cwd: folder, force: true });
    expect(await seen()).toMatchObject({ synchronous_commit: 'on' });
    expect(await commits()).toEqual([{ tag: 'table pg_temp', value: 'off' }]);
  });

  test('where merges do not wait, the end of the run does, before the report says loaded', async () => {
    await load(db.url, jobOf({}), { cwd: folder });
    await db.query('truncate seen');
    await db.query(
      'create trigger see before update on etl.run for each statement execute function see()',
    );
    await load(db.url, jobOf({ synchronous_commit: 'off' }), { cwd: folder, force: true });
    const values = await db.query(
      `select distinct value from seen where name = 'synchronous_commit' order by 1`,
    );
    expect(values).toEqual([{ value: 'local' }, { value: 'off' }]);
  });
});

describe('a setting that the server refuses', () => {
  test.each([
    ['a value', { work_mem: 'lots' }, 'work_mem = "lots"', '22023'],
    ['a value out of range', { work_mem: 1 }, 'work_mem = "1"', '22023'],
    ['a name', { wrok_mem: '64MB' }, 'wrok_mem = "64MB"', '42704'],
    ['what only a start sets', { shared_buffers: '1GB' }, 'shared_buffers = "1GB"', '55P02'],
  ])('%s', async (_, session, named, sqlState) => {
    const error = await refusal(
      load(db.url, jobOf(session, 'full-parallel', 'made'), { cwd: folder }),
    );
    expect(error.record).toMatchObject({
      code: 'ETL_JOB_INVALID',
      sentence: expect.stringContaining(
        `The server refuses the session's setting ${named}: `,
      ) as unknown,
      remedy: expect.stringContaining('--session') as unknown,
      facts: { sqlState },
    });
    // Nothing was made: neither the table nor the ledger.
    expect(await db.query(`select to_regclass('made') as t, to_regclass('etl.run') as r`)).toEqual([
      { t: null, r: null },
    ]);
  });

  test('is named in a run, too, and nothing is loaded', async () => {
    const plan = await planJob(db.url, jobOf({}, 'full-parallel', 'made'), { cwd: folder });
    const session = [{ name: 'work_mem', value: 'lots', from: 'job', why: 'x' }] as const;
    const error = await refusal(runPlan(db.url, { ...plan, session }, {}));
    expect(error.record.sentence).toContain('work_mem = "lots"');
    expect(await db.query(`select to_regclass('made') as t`)).toEqual([{ t: null }]);
  });

  test('is named where the role may not set it', async () => {
    const role = `loader_${db.name.slice(5)}`;
    await db.query(`create role ${role} login password 'secret'`);
    try {
      const url = databaseUrlOf(db.url, db.name).replace(/\/\/[^@/]*@/, `//${role}:secret@`);
      const error = await refusal(load(url, jobOf({ wal_compression: true }), { cwd: folder }));
      expect(error.record).toMatchObject({
        code: 'ETL_PRIVILEGE',
        sentence: expect.stringContaining('wal_compression = "on"') as unknown,
      });
    } finally {
      await db.query(`drop role ${role}`);
    }
  });

  test('is named where it is the time zone', async () => {
    const job = jobOf({});
    const mars = { ...job, settings: { ...job.settings, timeZone: 'Mars/Olympus' } };
    const error = await refusal(load(db.url, mars, { cwd: folder }));
    expect(error.record).toMatchObject({
      code: 'ETL_JOB_INVALID',
      sentence: expect.stringContaining('timezone = "Mars/Olympus"') as unknown,
      remedy: 'Correct --time-zone, or leave it out.',
    });
  });
});

test('the settings change no plan id, and no file is loaded again for them', async () => {
  const { plan } = await load(db.url, jobOf({}), { cwd: folder });
  const again = await load(db.url, jobOf({ work_mem: '7MB' }), { cwd: folder });
  expect(again.report.loads[0]?.files.map((file) => file.status)).toEqual(['skipped', 'skipped']);
  const other = await planJob(db.url, jobOf({ work_mem: '9MB' }), { cwd: folder });
  expect(other.planId).toBe(again.plan.planId);
  expect(plan.session).not.toEqual(again.plan.session);
});

test('the report keeps what was foreseen beside what came', async () => {
  const { plan, report } = await load(db.url, jobOf({}, 'partitioned'), { cwd: folder });
  const [planned] = plan.loads;
  const prediction = report.loads[0]?.prediction;
  expect(prediction).toMatchObject({
    rows: { predicted: 4, actual: 4, ratio: 1 },
    multiplicity: { predicted: 4 / 3, actual: 4 / 3, ratio: 1 },
    conflicts: { predicted: planned?.conflicts.length, waitedMs: 0 },
    strategies: planned?.costs.map(({ strategy, seconds }) => ({ strategy, seconds })),
  });
  const cost = planned?.costs.find(({ strategy }) => strategy === 'partitioned')?.seconds;
  expect(prediction?.seconds.predicted).toBe(cost);
  expect(prediction?.seconds.actual).toBeGreaterThan(0);
  expect(prediction?.seconds.ratio).toBe((prediction?.seconds.actual ?? 0) / (cost ?? 1));
});
