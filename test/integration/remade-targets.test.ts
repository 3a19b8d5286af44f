import { expect, test } from 'vitest';
import type { Plan } from '../../src/plan/plan-types.ts';
import { load } from '../support/load.ts';
import { useScene } from '../support/scene.ts';

/** Further tables that are other tables than those which the files were loaded for. */
const scene = useScene((table) => `create table ${table} (id int, name text); ${namesOf(table)}`);

function namesOf(table: string): string {
  return `create table ${table}_names (name text primary key);`;
}

async function loadBoth(): Promise<readonly [Plan, readonly string[]]> {
  const { table, db, folder } = scene;
  const names = { table: `${table}_names`, onConflict: 'ignore' } as const;
  const one = { table, files: ['*.csv'], onConflict: 'append' as const, targets: [names] };
  const { plan, report } = await load(db.url, { loads: [one] }, { cwd: folder });
  return [plan, report.loads[0]?.files.map(({ status }) => status) ?? []];
}

const saidOf = ({ loads }: Plan): readonly string[] =>
  (loads[0]?.notices ?? []).filter((notice) => notice.includes('made anew'));

test('one that was made anew, and filled by others, is told of', async () => {
  const { db, table } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,ada\n2,ben\n', 'b.csv': 'id,name\n3,carl\n' });
  await loadBoth();
  const [unchanged] = await loadBoth();
  expect(saidOf(unchanged)).toEqual([]);
  await db.query(`drop table ${table}_names; ${namesOf(table)}
                  insert into ${table}_names values ('dora')`);
  await scene.write({ 'c.csv': 'id,name\n4,eve\n' });
  const [plan, statuses] = await loadBoth();
  expect(statuses).toEqual(['skipped', 'skipped', 'loaded']);
  expect(saidOf(plan)).toEqual([
    `public.${table}_names is not the table that 3 rows of 2 files were loaded for: it was dropped and made anew, or restored, since. These are not loaded again; --force loads them again, into all tables.`,
  ]);
  const [next] = await loadBoth();
  expect(saidOf(next)).toEqual(saidOf(plan));
});

test('rows of a table without a key are not doubled where it is restored beside one with a key', async () => {
  const { db, table } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,ada\n' });
  await loadBoth();
  await db.query(
    `create table restored (like ${table}); insert into restored table ${table};
     drop table ${table}; alter table restored rename to ${table}`,
  );
  await expect(loadBoth()).rejects.toMatchObject({ record: { code: 'ETL_USAGE' } });
  expect(await db.query(`table ${table}`)).toHaveLength(1);
});
