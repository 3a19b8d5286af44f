import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectNoLeaks } from '../support/database.ts';
import { planJob, runPlan } from '../support/load.ts';
import { createWorkplace, type Workplace } from '../support/table-pair.ts';

/**
 * What the catalog of a real server says of a table whose rows are coupled: the first file frees the
 * value that the second one brings, so that only the order of the files loads both.
 */
describe('a table whose rows are coupled', () => {
  let place: Workplace;
  let files: string[];

  beforeAll(async () => {
    place = await createWorkplace();
    files = [join(place.folder, 'a.csv'), join(place.folder, 'b.csv')];
    await writeFile(join(place.folder, 'a.csv'), 'id,code\n9,y\n');
    await writeFile(join(place.folder, 'b.csv'), 'id,code\n5,X\n');
    await place.db.query(
      `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    );
  });
  afterEach(() => expectNoLeaks(place.db.url));
  afterAll(() => place.remove());

  it.each([
    [
      'a generated column',
      `create table t (id int primary key, code text,
                       folded text generated always as (lower(code)) stored unique)`,
      'unique index t_folded_key',
    ],
    [
      'a column with a constant default',
      `create table t (id int primary key, code text collate case_blind, tenant int default 1,
                       unique (tenant, code))`,
      'unique index t_tenant_code_key',
    ],
    [
      'a partition of its own',
      `create table t (id int primary key, code text) partition by range (id);
       create table t_low partition of t for values from (0) to (100) partition by range (id);
       create table t_lowest partition of t_low for values from (0) to (100);
       create unique index t_lowest_code on t_lowest (lower(code))`,
      'unique index t_lowest_code',
    ],
  ])('by a unique index on %s is loaded in order', async (_, ddl, coupling) => {
    await place.db.query(`drop table if exists t; ${ddl}; insert into t values (9, 'x')`);
    const plan = await planJob(
      place.db.url,
      { loads: [{ table: 't', files }] },
      { cwd: place.folder },
    );
    expect(plan.loads[0]?.strategy).toBe('sequential');
    expect(plan.loads[0]?.reason).toBe(`${coupling} could make the order matter`);
    const report = await runPlan(place.db.url, plan, {});
    expect(report.error).toBeNull();
    const rows = await place.db.query('select id, code from t order by id');
    expect(rows).toEqual([
      { id: 5, code: 'X' },
      { id: 9, code: 'y' },
    ]);
  });

  it('by a trigger of a partition is loaded in order, and its rows are counted', async () => {
    await place.db.query(
      `drop table if exists t;
       create table t (id int primary key, code text) partition by range (id);
       create table t_low partition of t for values from (0) to (7);
       create table t_high partition of t for values from (7) to (100);
       create function swallow() returns trigger language plpgsql as 'begin return null; end';
       create trigger swallows before insert on t_low for each row execute function swallow()`,
    );
    const plan = await planJob(
      place.db.url,
      { loads: [{ table: 't', files }] },
      { cwd: place.folder },
    );
    expect(plan.loads[0]?.reason).toBe('row trigger swallows could make the order matter');
    const report = await runPlan(place.db.url, plan, {});
    expect(report.error).toBeNull();
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 2, inserted: 1 });
    expect(await place.db.query('select id from t')).toEqual([{ id: 9 }]);
  });

  it.each(['generated always as identity', 'default gen_random_uuid()::text', 'serial'])(
    'is not one where a unique index has a column of its own: %s',
    async (own) => {
      const type = own === 'serial' ? '' : own.includes('uuid') ? 'uuid' : 'int';
      const made = own.replace('::text', '');
      await place.db.query(
        `drop table if exists t;
         create table t (id int primary key, code text, n ${type} ${made}, unique (code, n))`,
      );
      const plan = await planJob(
        place.db.url,
        { loads: [{ table: 't', files }] },
        { cwd: place.folder },
      );
      expect(plan.loads[0]?.couplings).toEqual([]);
    },
  );

  it.each(['t', 'log'])('only since it was planned is not loaded: %s', async (altered) => {
    await place.db.query(
      `drop table if exists t, log;
       create table t (id int primary key, code text);
       create table log (id int primary key, code text)`,
    );
    const job = { loads: [{ table: 't', files, targets: [{ table: 'log' }] }] };
    const plan = await planJob(place.db.url, job, { cwd: place.folder });
    await place.db.query(`create unique index late on ${altered} (code)`);
    await expect(runPlan(place.db.url, plan, {})).rejects.toMatchObject({
      record: {
        code: 'ETL_PLAN_STALE',
        sentence: `public.${altered} was altered since the load was planned: unique index late could make the order matter.`,
      },
    });
    const again = await planJob(place.db.url, job, { cwd: place.folder });
    expect((await runPlan(place.db.url, again, {})).status).toBe('loaded');
  });

  it('by another collation of the key is no key of that column', async () => {
    await place.db.query(
      `drop table if exists t;
       create table t (id int, code text);
       create unique index t_code on t (code collate case_blind)`,
    );
    const job = { loads: [{ table: 't', files, key: ['code'] }] };
    await expect(planJob(place.db.url, job, { cwd: place.folder })).rejects.toMatchObject({
      record: { code: 'ETL_KEY_INVALID' },
    });
    await place.db.query('create unique index t_code_c on t (code collate "C")');
    const plan = await planJob(place.db.url, job, { cwd: place.folder });
    expect(plan.loads[0]?.couplings).toMatchObject([{ kind: 'unique index', name: 't_code' }]);
  });
});
