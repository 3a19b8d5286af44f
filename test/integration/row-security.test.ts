import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  expect(other.report.error).toMatchObject({
    ...{ code: 'ETL_ROW_INVALID', facts: { sqlState: '42501' } },
    remedy: expect.stringContaining('--on-error quarantine') as string,
  });
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

/** Row 4 has what the policy refuses, and row 1 would change what the role may not see. */
it.each(['sequential', 'full-parallel', 'partitioned', 'append'] as const)(
  'puts rows that its policies refuse aside, and loads the others: %s',
  async (how) => {
    const { db, folder, table } = scene;
    const keyed = how !== 'append';
    if (keyed) await db.query(`alter table ${table} add primary key (k)`);
    await db.query(`insert into ${table} values (1, 'hidden')`);
    await scene.write({
      'a.csv': `k,v\n${keyed ? '1,x\n' : ''}2,y\n3,z\n`,
      'b.csv': 'k,v\n4,refused\n5,x\n2,w\n',
    });
    const rejects = join(folder, 'rejects');
    const of = keyed ? { strategy: how } : { onConflict: how };
    const { report } = await load(
      urlOfRole(),
      {
        settings: { concurrency: 2, onError: 'quarantine', rejects },
        loads: [{ table, files: ['*.csv'], ...of }],
      },
      { cwd: folder },
    );
    expect(report.error).toBeNull();
    expect(report.loads[0]?.totals.rejected).toBe(keyed ? 2 : 1);
    expect(await db.query(`select k, v from ${table} order by k, v desc`)).toEqual([
      { k: 1, v: 'hidden' },
      ...(keyed ? [] : [{ k: 2, v: 'y' }]),
      { k: 2, v: 'w' },
      { k: 3, v: 'z' },
      { k: 5, v: 'x' },
    ]);
    const told = await readFile(join(rejects, 'b.csv.rejects.csv'), 'utf8');
    expect(told).toMatch(/2,\d+,,42501,.*row-level security policy.*refused/);
  },
);

it('a table that the role may not write fails its file, and no row is blamed', async () => {
  const { db, folder, table } = scene;
  await db.query(`revoke insert on ${table} from ${role}`);
  await scene.write({ 'a.csv': 'k,v\n1,x\n' });
  const { report } = await load(
    urlOfRole(),
    {
      settings: { onError: 'quarantine', rejects: join(folder, 'rejects') },
      loads: [{ table, files: ['a.csv'], onConflict: 'append' }],
    },
    { cwd: folder },
  );
  expect(report.error).toMatchObject({ code: 'ETL_PRIVILEGE', facts: { sqlState: '42501' } });
  expect(report.error?.remedy).toContain(`on public.${table} to ${role};`);
});
