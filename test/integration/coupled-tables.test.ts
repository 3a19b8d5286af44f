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

  it('that lost the index of its key since it was planned is not loaded', async () => {
    const columns = '(id int not null, code text)';
    await place.db.query(
      `drop table if exists t, log;
       create table t ${columns}; create unique index t_id on t (id); create index t_other on t (id)`,
    );
    const job = { loads: [{ table: 't', files, key: ['id'] }] };
    const plan = await planJob(place.db.url, job, { cwd: place.folder });
    await place.db.query('drop index t_id');
    await expect(runPlan(place.db.url, plan, {})).rejects.toMatchObject({
      record: {
        code: 'ETL_PLAN_STALE',
        sentence:
          'public.t was altered since the load was planned: it has no unique index of exactly id any more.',
      },
    });
    expect(await place.db.query('select from t')).toEqual([]);
  });

  it('by an index that tells apart what the type takes for equal has no such key', async () => {
    await place.db.query(
      `drop table if exists t; drop type if exists pair;
       create type pair as (a numeric, b int);
       create table t (id pair not null, code text not null);
       create unique index t_id on t (id record_image_ops)`,
    );
    const job = { loads: [{ table: 't', files, key: ['id'] }] };
    await expect(planJob(place.db.url, job, { cwd: place.folder })).rejects.toMatchObject({
      record: { code: 'ETL_KEY_INVALID' },
    });
    await place.db.query('create unique index t_code on t (code text_pattern_ops)');
    const byCode = { loads: [{ table: 't', files, key: ['code'] }] };
    const plan = await planJob(place.db.url, byCode, { cwd: place.folder });
    expect(plan.loads[0]?.key).toEqual(['code']);
  });

  it('by a key without overlaps is loaded in order', async () => {
    const [server] = await place.db.query<{ server_version_num: string }>(
      'show server_version_num',
    );
    const temporal = Number(server?.server_version_num) >= 180_000;
    const key = temporal
      ? 'constraint t_key unique (room, during without overlaps)'
      : 'constraint t_key exclude using gist (room with =, during with &&)';
    await place.db.query(
      `drop table if exists t;
       create table t (id int primary key, code text, room int4range, during int4range, ${key})`,
    );
    const job = { loads: [{ table: 't', files }] };
    const plan = await planJob(place.db.url, job, { cwd: place.folder });
    expect(plan.loads[0]?.strategy).toBe('sequential');
    expect(plan.loads[0]?.couplings).toMatchObject([
      { kind: 'exclusion constraint', name: 't_key' },
    ]);
  });

  it.each(['stop', 'quarantine'] as const)(
    'takes a value that an earlier row of the same file has freed: onError %s',
    async (onError) => {
      await place.db.query(
        `drop table if exists t;
         create table t (id int primary key, code text unique);
         insert into t values (1, 'a'), (2, 'b'), (3, 'c')`,
      );
      const swaps = join(place.folder, 'swaps.csv');
      await writeFile(swaps, 'id,code\n3,d\n2,c\n1,b\n2,e\n');
      const job = {
        settings: { onError, rejects: place.folder },
        loads: [{ table: 't', files: [swaps] }],
      };
      const plan = await planJob(place.db.url, job, { cwd: place.folder });
      const report = await runPlan(place.db.url, plan, {});
      expect(report.error).toBeNull();
      const counts = { rowsRead: 4, inserted: 0, updated: 4, superseded: 0, rejected: 0 };
      expect(report.loads[0]?.totals).toMatchObject(counts);
      expect(await place.db.query('select code from t order by id')).toEqual(
        ['b', 'e', 'd'].map((code) => ({ code })),
      );
    },
  );

  it('names the row that is refused in any order', async () => {
    await place.db.query(
      `drop table if exists t;
       create table t (id int primary key, code text unique);
       insert into t values (1, 'a'), (2, 'b')`,
    );
    await writeFile(join(place.folder, 'c.csv'), 'id,code\n2,c\n1,b\n3,b\n');
    const job = { loads: [{ table: 't', files: [join(place.folder, 'c.csv')] }] };
    const plan = await planJob(place.db.url, job, { cwd: place.folder });
    const report = await runPlan(place.db.url, plan, {});
    expect(report.error).toMatchObject({ code: 'ETL_ROW_INVALID', facts: { file: 'c.csv' } });
    expect(report.error?.sentence).toContain('Key (code)=(b)');
    expect(await place.db.query('select code from t order by id')).toEqual([
      { code: 'a' },
      { code: 'b' },
    ]);
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
