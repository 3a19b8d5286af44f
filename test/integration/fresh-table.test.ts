import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/plan/plan-types.ts';
import type { RunEvent } from '../../src/run/events.ts';
import type { Report } from '../../src/run/report-types.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { load, planJob, runPlan } from '../support/load.ts';

/** A table that a run creates is filled before it gets its key, or else loaded as any other. */
describe('a fresh table', () => {
  let db: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.query(FAULTS);
    folder = await mkdtemp(join(tmpdir(), 'etl-fresh-'));
    await writeFile(join(folder, 'a.csv'), rows(0, 8_000));
    await writeFile(join(folder, 'b.csv'), rows(8_000, 8_000));
    await writeFile(join(folder, 'again.csv'), `id,v\n5,again\n`);
    await writeFile(join(folder, 'bad.csv'), `${rows(16_000, 3)}x,not a number\n`);
  });
  afterEach(() => expectNoLeaks(db.url));
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('is filled without its index, and has its key, its name and its ledger at the end', async () => {
    const { plan, report } = await load(db.url, job('filled', ['a.csv', 'b.csv']), options());
    expect(plan.loads[0]?.fillBeforeKey).toBe(true);
    expect(report.error).toBeNull();
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 16_000, inserted: 16_000 });
    expect(report.loads[0]?.files.map((file) => file.inserted)).toEqual([8_000, 8_000]);
    expect(await keyOf('filled')).toEqual([{ name: 'filled_pkey', valid: true }]);
    expect(await db.query('select count(*), sum(id) from filled')).toEqual([
      { count: '16000', sum: '127992000' },
    ]);
    expect(await leftOver()).toEqual([]);
    const again = await load(db.url, job('filled', ['a.csv', 'b.csv']), options());
    expect(again.report.loads[0]?.files.map((file) => file.status)).toEqual(['skipped', 'skipped']);
  });

  it('is loaded through staging where a key comes twice after all', async () => {
    const events: RunEvent[] = [];
    const report = await runPlan(db.url, await forced('twice', ['a.csv', 'again.csv']), {
      onEvent: (event) => events.push(event),
    });
    expect(report.error).toBeNull();
    expect(report.loads[0]?.totals).toMatchObject({ inserted: 8_000, updated: 1 });
    expect(await db.query('select v from twice where id = 5')).toEqual([{ v: 'again' }]);
    const notices = events.filter((event) => event.kind === 'notice');
    expect(notices.map((notice) => notice.sentence)).toEqual([
      expect.stringMatching(/could not be filled before its key was added .*staging instead/s),
    ]);
    expect(await leftOver()).toEqual([]);
  });

  it('keeps what comes before a bad file, and names the line', async () => {
    const report = await runPlan(db.url, await forced('spoiled', ['a.csv', 'bad.csv']), {});
    expect(report.loads[0]?.files.map((file) => file.status)).toEqual(['loaded', 'failed']);
    expect(report.error?.facts).toMatchObject({ file: 'bad.csv', line: 5, column: 'id' });
    expect(await db.query('select count(*) from spoiled')).toEqual([{ count: '8000' }]);
    expect(await leftOver()).toEqual([]);
  });

  describe('that somebody alters while it is filled', () => {
    const gated = (table: string) => ({
      settings: { concurrency: 2 },
      loads: [
        { table, files: ['gate.csv'], key: ['id'], types: { id: 'bigint', v: 'fault_staged' } },
      ],
    });

    /** `alter` is done while a row of the file waits. */
    async function alteredMeanwhile(table: string, alter: string): Promise<Altered> {
      await writeFile(join(folder, 'gate.csv'), `${rows(0, 8_000)}9000,stage gate\n`);
      const plan = await planJob(db.url, gated(table), options());
      const gate = await db.client();
      await gate.query(closeGateSql('stage'));
      const notices: string[] = [];
      const running = runPlan(db.url, withFill(plan), {
        onEvent: (event) => {
          if (event.kind === 'notice') notices.push(event.sentence);
        },
      });
      try {
        await untilWaiting(db, 'stage');
        await db.query(alter);
      } finally {
        await gate.end();
      }
      return { report: await running, notices };
    }

    it.each([
      [
        'a right',
        'grant select on % to public',
        `has_table_privilege('pg_monitor', '%', 'select')`,
      ],
      ['a comment', `comment on table % is 'kept'`, `obj_description('%'::regclass) = 'kept'`],
      [
        'an index',
        'create index on % (v)',
        `(select count(*) = 2 from pg_index where indrelid = '%'::regclass)`,
      ],
      ['a column', `alter table % add more int default 7`, `(select bool_and(more = 7) from %)`],
      [
        'a policy',
        'create policy p on %',
        `exists (select from pg_policy where polrelid = '%'::regclass)`,
      ],
    ])('keeps %s, and is loaded through staging', async (what, alter, kept) => {
      const table = `kept_${what.replace(' ', '_')}`;
      const { report, notices } = await alteredMeanwhile(table, alter.replace('%', table));
      expect([report.error, report.status]).toEqual([null, 'loaded']);
      expect(notices).toEqual([expect.stringContaining(`${table} was altered meanwhile`)]);
      expect(await db.query(`select ${kept.replaceAll('%', table)} as kept`)).toEqual([
        { kept: true },
      ]);
      expect(await db.query(`select count(*) from ${table}`)).toEqual([{ count: '8001' }]);
      expect(await leftOver()).toEqual([]);
    });

    it('and could be loaded in another order for it, is planned again', async () => {
      const unique = 'create unique index on coupled_late (v)';
      await expect(alteredMeanwhile('coupled_late', unique)).rejects.toMatchObject(STALE);
      expect(await db.query('select count(*) from coupled_late')).toEqual([{ count: '0' }]);
      const again = await load(db.url, gated('coupled_late'), options());
      expect([again.report.error, again.plan.loads[0]?.strategy]).toEqual([null, 'sequential']);
      expect(await db.query('select count(*) from coupled_late')).toEqual([{ count: '8001' }]);
    });

    it('is not taken for another that got its name', async () => {
      const swap = `alter table swapped rename to swapped_old;
                    create table swapped (like swapped_old including all)`;
      await expect(alteredMeanwhile('swapped', swap)).rejects.toMatchObject(STALE);
      expect(await db.query('select count(*) from swapped_old')).toEqual([{ count: '0' }]);
      const again = await load(db.url, gated('swapped'), options());
      expect(again.report.error).toBeNull();
      expect(await db.query('select count(*) from swapped')).toEqual([{ count: '8001' }]);
    });
  });

  it('is rid of a twin that a run which died has left', async () => {
    await db.query('create table left_behind (id bigint primary key, v text)');
    const [table] = await db.query(`select 'left_behind'::regclass::oid::text as oid`);
    await db.query(`create table etl_fresh_${String(table?.['oid'])}_20260101000000_abc (id int)`);
    const { report } = await load(db.url, job('left_behind', ['a.csv']), options());
    expect(report.error).toBeNull();
    expect(await leftOver()).toEqual([]);
  });

  function rows(from: number, count: number): string {
    const lines = Array.from({ length: count }, (_, row) => `${from + row},value ${from + row}\n`);
    return `id,v\n${lines.join('')}`;
  }

  function job(table: string, files: string[]): Parameters<typeof load>[1] {
    return {
      settings: { concurrency: 2 },
      loads: [{ table, files, key: ['id'], types: { id: 'bigint' } }],
    };
  }

  function options(): { cwd: string } {
    return { cwd: folder };
  }

  /** A plan whose sample is made to have missed what is wrong. */
  async function forced(table: string, files: string[]): Promise<Plan> {
    return withFill(await planJob(db.url, job(table, files), options()));
  }

  function withFill(plan: Plan): Plan {
    return { ...plan, loads: plan.loads.map((one) => ({ ...one, fillBeforeKey: true })) };
  }

  function keyOf(table: string): Promise<unknown[]> {
    return db.query(
      `select conname as name, convalidated as valid from pg_constraint
        where conrelid = '${table}'::regclass and contype = 'p'`,
    );
  }

  function leftOver(): Promise<unknown[]> {
    return db.query(`select relname from pg_class where relname like 'etl\\_fresh%'`);
  }
});

const STALE = { record: { code: 'ETL_PLAN_STALE' } };

interface Altered {
  readonly report: Report;
  readonly notices: readonly string[];
}
