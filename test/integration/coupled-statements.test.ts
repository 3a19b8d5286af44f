import { describe, expect, it } from 'vitest';
import { load } from '../support/load.ts';
import { filesOf, useScene } from '../support/scene.ts';

/**
 * What looks at several rows at once, when a statement ends: which rows these are must not depend on
 * which files happen to be merged together, nor on what is merged beside them.
 */
const scene = useScene(() => '');

const WORKERS = [1, 2, 8];

describe('a row that refers to', () => {
  it.each(WORKERS)(
    'a row that a later file brings is refused, with %d workers',
    async (workers) => {
      const { db, folder, table } = scene;
      await db.query(`create table ${table} (k int primary key, parent int references ${table})`);
      await scene.write({
        '1.csv': 'k,parent\n2,1\n',
        '2.csv': 'k,parent\n1,\n',
        '3.csv': 'k,parent\n',
      });
      await scene.write({ '4.csv': 'k,parent\n4,\n', '5.csv': 'k,parent\n5,\n' });
      const job = { settings: { concurrency: workers }, loads: [{ table, files: ['*.csv'] }] };
      const { report } = await load(db.url, job, { cwd: folder });
      expect(report.error).toMatchObject({ facts: { file: '1.csv', sqlState: '23503' } });
      expect(await db.query(`select from ${table}`)).toEqual([]);
    },
  );

  it('a later row of its own file is taken', async () => {
    const { db, folder, table } = scene;
    await db.query(`create table ${table} (k int primary key, parent int references ${table})`);
    await scene.write({ '1.csv': 'k,parent\n2,1\n1,3\n3,\n' });
    const { report } = await load(
      db.url,
      { loads: [{ table, files: ['*.csv'] }] },
      { cwd: folder },
    );
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 3, inserted: 3 });
  });

  it.each(WORKERS)(
    'a row of another table that a later file brings is refused, with %d workers',
    async (workers) => {
      const { db, folder, table } = scene;
      await db.query(
        `create table ${table} (k int primary key, v int, parent int);
         create table ${table}_child (v int primary key, parent int references ${table})`,
      );
      await scene.write({ '1.csv': 'k,v,parent\n1,1,2\n', '2.csv': 'k,v,parent\n2,2,\n' });
      await scene.write({ '3.csv': 'k,v,parent\n3,3,\n', '4.csv': 'k,v,parent\n4,4,\n' });
      const targets = [{ table: `${table}_child` }];
      const job = {
        settings: { concurrency: workers },
        loads: [{ table, files: ['*.csv'], targets }],
      };
      const { report } = await load(db.url, job, { cwd: folder });
      expect(report.error).toMatchObject({ facts: { file: '1.csv', sqlState: '23503' } });
      expect(await db.query(`select from ${table}`)).toEqual([]);
    },
  );
});

describe('a trigger for each statement', () => {
  it.each(['insert or update', 'update'])('makes files merge in order: %s', async (events) => {
    const { db, folder, table } = scene;
    await db.query(
      `create table ${table} (k int primary key, v int); insert into ${table} values (1, 0), (3, 0);
       create function few_${table}() returns trigger language plpgsql as $$
         begin
           if (select sum(v) from ${table}) > 3 then
             raise exception 'too much' using errcode = 'check_violation';
           end if;
           perform pg_sleep(0.2);
           return null;
         end $$;
       create trigger few after ${events} on ${table}
         for each statement execute function few_${table}()`,
    );
    await scene.write({ '1.csv': 'k,v\n1,1\n2,1\n', '2.csv': 'k,v\n3,1\n4,1\n' });
    const job = { settings: { concurrency: 2 }, loads: [{ table, files: ['*.csv'] }] };
    const { plan, report } = await load(db.url, job, { cwd: folder });
    expect(plan.loads[0]?.reason).toBe('statement trigger few could make the order matter');
    expect(filesOf(report).map(({ status }) => status)).toEqual(['loaded', 'failed']);
    expect(await db.query(`select sum(v)::int as sum from ${table}`)).toEqual([{ sum: 2 }]);
  });

  it.each(['after delete', 'after truncate'])('is none of the load: %s', async (events) => {
    const { db, folder, table } = scene;
    await db.query(
      `create table ${table} (k int primary key, v int);
       create function fails_${table}() returns trigger language plpgsql as
         $$ begin raise exception 'never'; end $$;
       create trigger fails ${events} on ${table} for each statement execute function fails_${table}()`,
    );
    await scene.write({ '1.csv': 'k,v\n1,1\n', '2.csv': 'k,v\n3,1\n' });
    const { plan, report } = await load(
      db.url,
      { loads: [{ table, files: ['*.csv'] }] },
      { cwd: folder },
    );
    expect(plan.loads[0]?.couplings).toEqual([]);
    expect(report.error).toBeNull();
  });
});
