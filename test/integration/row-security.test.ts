import { afterEach, beforeEach, expect, it } from 'vitest';
import { load } from '../support/load.ts';
import { useScene } from '../support/scene.ts';

/** A table whose policies hold for the role that loads: COPY refuses it, so it is written by INSERT. */
const scene = useScene(
  (table) => `
    create table ${table} (k int, v text); alter table ${table} enable row level security;
    create policy visible on ${table} using (v <> 'hidden') with check (v <> 'refused')`,
);
let role = '';
beforeEach(async () => {
  const { db, table } = scene;
  role = `role_${db.name}_${table}`;
  await db.query(
    `create role ${role}; grant all on ${table} to ${role};
     grant create, temporary on database ${db.name} to ${role}`,
  );
});
afterEach(() => scene.db.query(`drop owned by ${role} cascade; drop role ${role}`));

function urlOfRole(): string {
  const { url } = scene.db;
  return `${url}${url.includes('?') ? '&' : '?'}options=-c%20role%3D${role}`;
}

it('takes appended rows that its policies let in, and none of a file with another one', async () => {
  const { db, folder, table } = scene;
  await scene.write({ 'a.csv': 'k,v\n1,x\n2,hidden\n', 'b.csv': 'k,v\n3,x\n4,refused\n' });
  const append = { table, onConflict: 'append' } as const;
  const first = await load(
    urlOfRole(),
    { loads: [{ ...append, files: ['a.csv'] }] },
    { cwd: folder },
  );
  expect(first.report.error).toBeNull();
  const other = await load(
    urlOfRole(),
    { loads: [{ ...append, files: ['b.csv'] }] },
    { cwd: folder },
  );
  expect(other.report.error).toMatchObject({ facts: { sqlState: '42501' } });
  expect(await db.query(`select * from ${table} order by k`)).toEqual([
    { k: 1, v: 'x' },
    { k: 2, v: 'hidden' },
  ]);
});

it('takes rows with a key, and counts them', async () => {
  const { db, folder, table } = scene;
  await db.query(`insert into ${table} values (1, 'x'); alter table ${table} add primary key (k)`);
  await scene.write({ 'a.csv': 'k,v\n1,y\n2,z\n' });
  const { report } = await load(
    urlOfRole(),
    { loads: [{ table, files: ['a.csv'] }] },
    { cwd: folder },
  );
  expect(report.loads[0]?.totals).toMatchObject({ inserted: 1, updated: 1 });
});
