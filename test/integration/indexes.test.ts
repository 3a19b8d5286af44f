import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EtlError } from '../../src/errors.ts';
import type { JobInput } from '../../src/job/define-job.ts';
import type { Report } from '../../src/run/report-types.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { planJob, runPlan } from '../support/load.ts';

type Indexes = NonNullable<JobInput['loads'][number]['indexes']>;

/** Indexes that a job asks for: made once, at the right moment, and never left half made. */
describe('indexes', () => {
  let db: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-indexes-'));
    const lines = Array.from({ length: 12_000 }, (_, id) => `${id},name ${id % 5_000},${id}\n`);
    await writeFile(join(folder, 'a.csv'), `id,name,at\n${lines.join('')}`);
  });
  afterEach(() => expectNoLeaks(db.url));
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('of a table that is created are made with it, in one transaction', async () => {
    const { plan, report, notices } = await run('fresh', [{ columns: ['name'] }]);
    expect(plan.fillBeforeKey).toBe(true);
    expect(report.error).toBeNull();
    const fresh = { name: 'fresh_name_idx', definition: 'btree (name)', unique: false } as const;
    expect(report.loads[0]?.indexes).toEqual([
      { ...fresh, status: 'built', concurrently: false, ms: null },
    ]);
    expect(notices).toEqual([]);
    expect(await indexesOf('fresh')).toEqual(['fresh_name_idx valid']);
    const [row] = await db.query(
      `select (select xmin from pg_class where relname = 'fresh_name_idx')::text =
              (select xmin from etl.ledger where table_oid = 'fresh'::regclass)::text as together`,
    );
    expect(row).toEqual({ together: true });
  });

  it('of a table that is created are made after a load through staging', async () => {
    const files = ['a.csv', 'again.csv'];
    await writeFile(join(folder, 'again.csv'), 'id,name,at\n5,again,5\n');
    const { plan, report, notices } = await run('staged', [{ columns: ['at'] }], files);
    expect(plan.fillBeforeKey).toBe(false);
    expect(report.error).toBeNull();
    expect(notices).toEqual([expect.stringContaining('staged_at_idx of public.staged is made')]);
    expect(report.loads[0]?.indexes).toEqual([
      expect.objectContaining({
        status: 'built',
        concurrently: false,
        ms: expect.any(Number) as number,
      }),
    ]);
    expect(await indexesOf('staged')).toEqual(['staged_at_idx valid']);
  });

  it('of a live table are made while others write', async () => {
    await create('live');
    const other = await db.client();
    await other.query(`begin; insert into live values (-1, 'open', 1)`);
    const indexes: Indexes = [
      { columns: ['at desc', 'lower(name)'], where: 'at > 0', name: 'live_lately' },
      { columns: ['name'], method: 'hash' },
    ];
    const running = run('live', indexes);
    await until(`select 1 from pg_stat_activity where query like 'create index concurrently%'`);
    await db.query(`insert into live values (-2, 'meanwhile', 1)`);
    await other.query('commit');
    await other.end();
    const { report, plan } = await running;
    expect(report.error).toBeNull();
    expect(await indexesOf('live')).toEqual([
      'live_lately valid',
      expect.stringMatching(/^live_name_[0-9a-f]{8}_idx valid$/),
    ]);
    expect(plan.indexes?.[0]?.definition).toBe('btree (at DESC, lower(name)) WHERE (at > 0)');
    const again = await run('live', indexes);
    expect(again.plan.indexes?.every(({ there }) => there !== null)).toBe(true);
    expect(again.notices).toEqual([]);
    expect(await indexesOf('live')).toHaveLength(2);
  });

  it('that are there under another name are not made again', async () => {
    await create('known');
    await db.query(`create unique index mine on known (lower(name), at)`);
    const { plan, report } = await run('known', [{ columns: ['lower(name)', 'at'] }]);
    expect(plan.indexes).toMatchObject([{ there: 'mine' }]);
    expect(report.error).toBeNull();
    expect(await indexesOf('known')).toEqual(['mine valid']);
    expect(report.loads[0]?.indexes).toMatchObject([
      { name: 'mine', status: 'existing', concurrently: null, ms: null },
    ]);
  });

  it.each<[string, Indexes, string]>([
    [
      'taken',
      [{ columns: ['at'], name: 'somebodys' }],
      'its name is that of an index with another',
    ],
    ['taken', [{ columns: ['at'], name: 'taken' }], 'its name is that of something else'],
    ['taken', [{ columns: ['lowr(name)'] }], 'function lowr(text) does not exist'],
    ['taken', [{ columns: ['at'], where: 'att > 1' }], 'column "att" does not exist'],
    ['taken', [{ columns: ['(random())'] }], 'must be marked IMMUTABLE'],
    ['taken', [{ columns: ['name'], method: 'gin' }], 'no default operator class'],
  ])('of %s that cannot be made (%j) are refused before the load', async (table, asked, told) => {
    if ((await db.query(`select to_regclass('taken') as there`))[0]?.['there'] === null) {
      await create('taken');
      await db.query('create index somebodys on taken (name)');
    }
    const error: unknown = await run(table, asked).catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(EtlError);
    expect((error as EtlError).record).toMatchObject({ code: 'ETL_USAGE' });
    expect((error as EtlError).record.sentence).toContain(told);
  });

  it('that a cut-off build has left invalid are dropped and made, though all files are loaded', async () => {
    await create('cut_off');
    const asked: Indexes = [{ columns: ['name'] }];
    await run('cut_off', asked);
    await db.query(
      `update pg_index set indisvalid = false where indexrelid = 'cut_off_name_idx'::regclass`,
    );
    const { report, notices, plan } = await run('cut_off', asked);
    expect(plan.units).toEqual([]);
    expect(report.error).toBeNull();
    expect(notices).toEqual([
      expect.stringContaining('cut_off_name_idx was cut off: what it left is dropped'),
      expect.stringContaining('cut_off_name_idx of public.cut_off is made'),
    ]);
    expect(await indexesOf('cut_off')).toEqual(['cut_off_name_idx valid']);
    expect(report.loads[0]?.indexes).toMatchObject([{ status: 'built', concurrently: true }]);
  });

  it('that the rows do not allow leave the rows and nothing else, and are made when they do', async () => {
    await create('doubled');
    const asked: Indexes = [{ columns: ['name'], unique: true, name: 'doubled_once' }];
    const { report, notices, plan } = await run('doubled', asked);
    expect(plan.notices.join(' ')).toContain('The unique index doubled_once is made once the rows');
    expect(report.status).toBe('failed');
    expect(report.error?.sentence).toContain(
      'The rows are loaded, but the index doubled_once of public.doubled could not be made',
    );
    expect(report.error?.sentence).toMatch(/name \d+/);
    expect(report.loads[0]?.totals.inserted).toBe(12_000);
    expect(notices).toEqual([expect.stringContaining('what the try left is dropped')]);
    expect(await indexesOf('doubled')).toEqual([]);
    expect(report.loads[0]?.indexes).toMatchObject([
      { name: 'doubled_once', unique: true, status: 'not-built', ms: null },
    ]);
    await db.query('delete from doubled where id >= 5000');
    const again = await run('doubled', asked);
    expect(again.plan.units).toEqual([]);
    expect(again.report.error).toBeNull();
    expect(await indexesOf('doubled')).toEqual(['doubled_once valid']);
  });

  it('whose making is interrupted are made by the next run', async () => {
    await create('stopped');
    const asked: Indexes = [{ columns: ['name'] }];
    const other = await db.client();
    await other.query(`begin; insert into stopped values (-1, 'open', 1)`);
    const stop = new AbortController();
    const running = run('stopped', asked, ['a.csv'], stop.signal);
    await until(
      `select 1 from pg_stat_activity
        where query like 'create index concurrently%' and wait_event_type = 'Lock'`,
    );
    stop.abort();
    const { report } = await running;
    expect(report.status).toBe('interrupted');
    expect(report.loads[0]?.totals.inserted).toBe(12_000);
    await other.query('commit');
    await other.end();
    const again = await run('stopped', asked);
    expect(again.report.error).toBeNull();
    expect(again.report.loads[0]?.files[0]?.status).toBe('skipped');
    expect(await indexesOf('stopped')).toEqual(['stopped_name_idx valid']);
  });

  async function create(table: string): Promise<void> {
    await db.query(`create table "${table}" (id bigint primary key, name text, at int)`);
  }

  async function run(
    table: string,
    indexes: Indexes,
    files = ['a.csv'],
    signal?: AbortSignal,
  ): Promise<{
    plan: Awaited<ReturnType<typeof planJob>>['loads'][number];
    report: Report;
    notices: string[];
  }> {
    const types = { id: 'bigint', name: 'text', at: 'integer' };
    const job = { loads: [{ table, files, key: ['id'], types, indexes }] };
    const plan = await planJob(db.url, job, { cwd: folder });
    const notices: string[] = [];
    const report = await runPlan(db.url, plan, {
      onEvent: (event) => {
        if (event.kind === 'notice') notices.push(event.sentence);
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const [load] = plan.loads;
    if (load === undefined) throw new Error('a plan has a load');
    return { plan: load, report, notices };
  }

  /** Those that are no key. */
  async function indexesOf(table: string): Promise<string[]> {
    const rows = await db.query<{ index: string }>(
      `select i.relname || case when x.indisvalid then ' valid' else ' invalid' end as index
         from pg_index x join pg_class i on i.oid = x.indexrelid
        where x.indrelid = $1::regclass and not x.indisprimary order by 1`,
      [table],
    );
    return rows.map(({ index }) => index);
  }

  async function until(sql: string): Promise<void> {
    for (let look = 0; look < 400; look++) {
      if ((await db.query(sql)).length > 0) return;
      await sleep(25);
    }
    throw new Error(`never seen: ${sql}`);
  }
});
