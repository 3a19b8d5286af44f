import { expect, test } from 'vitest';
import { planJob } from '../support/load.ts';
import { statusesOf, useScene } from '../support/scene.ts';
import { expectTold } from '../support/etl.ts';

/** A table that was dumped and restored has its rows, but another oid than the ledger says. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);
const APPEND = ['*.csv', '--on-conflict', 'append'];

async function loadedAndRestored(words: readonly string[]): Promise<number> {
  const { db, table } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,a\n2,a\n', 'b.csv': 'id,name\n3,b\n' });
  expect((await scene.run(words)).code).toBe(0);
  const [before] = await db.query<{ oid: number }>(`select $1::regclass::int8::int4 as oid`, [
    table,
  ]);
  await db.query(
    `create table restored (like ${table} including all); insert into restored table ${table};
     drop table ${table}; alter table restored rename to ${table}`,
  );
  return before?.oid ?? 0;
}

test('append would double its rows, so it is refused until the ledger knows', async () => {
  const { db, table } = scene;
  const oid = await loadedAndRestored(APPEND);
  const end = await scene.run(APPEND);
  expectTold(end, 'ETL_USAGE', 2, { table: `public.${table}` });
  expect(end.stderr.replaceAll(/\s+/g, ' ')).toContain(
    `3 rows of 2 of the files were loaded into a table of the name public.${table} that had another oid (${oid})`,
  );
  await db.query(`update etl.ledger set table_oid = $1::regclass where table_oid = $2`, [
    table,
    oid,
  ]);
  const again = await scene.run(APPEND);
  expect(statusesOf(again.report)).toEqual(['skipped', 'skipped']);
  expect(await db.query(`select from ${table}`)).toHaveLength(3);
});

test('and so it would where another table has been given the oid that the ledger knows', async () => {
  const { db, table } = scene;
  const oid = await loadedAndRestored(APPEND);
  await db.query(`create table other_${table} ()`);
  await db.query(`update etl.ledger set table_oid = $1::regclass where table_oid = $2`, [
    `other_${table}`,
    oid,
  ]);
  expectTold(await scene.run(APPEND), 'ETL_USAGE', 2, { table: `public.${table}` });
  expect(await db.query(`select from ${table}`)).toHaveLength(3);
});

test('files that are new to the table, an empty table and --force are loaded', async () => {
  const { db, table, folder } = scene;
  await loadedAndRestored(APPEND);
  await scene.write({ 'c.csv': 'id,name\n4,c\n' });
  const later = await scene.run(['c.csv', ...APPEND.slice(1)]);
  expect(statusesOf(later.report)).toEqual(['loaded']);
  await db.query(`truncate ${table}`);
  const job = { loads: [{ table, files: ['a.csv'], onConflict: 'append' as const }] };
  const plan = await planJob(db.url, job, { cwd: folder });
  expect(plan.loads[0]?.files[0]?.skip).toBeNull();
  await db.query(`insert into ${table} values (9, 'other')`);
  const forced = await scene.run([...APPEND, '--force']);
  expect(statusesOf(forced.report)).toEqual(['loaded', 'loaded', 'loaded']);
});

test('what a forced load that was cut off has left is loaded by the next one', async () => {
  const { db, table } = scene;
  await loadedAndRestored(APPEND);
  await db.query(`truncate ${table}; insert into ${table} values (9, 'other')`);
  const forced = await scene.run(['a.csv', ...APPEND.slice(1), '--force']);
  expect(statusesOf(forced.report)).toEqual(['loaded']);
  const rest = await scene.run(APPEND);
  expect(statusesOf(rest.report)).toEqual(['skipped', 'loaded']);
});

test('a table with a key takes the same rows once more', async () => {
  const { db, table } = scene;
  await loadedAndRestored(['*.csv']);
  const end = await scene.run(['*.csv']);
  expect(statusesOf(end.report)).toEqual(['loaded', 'loaded']);
  expect(await db.query(`select from ${table}`)).toHaveLength(3);
});
