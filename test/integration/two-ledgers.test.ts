import { describe, expect, test } from 'vitest';
import { expectNoLeaks } from '../support/database.ts';
import { load, planJob, runPlan } from '../support/load.ts';
import { useScene } from '../support/scene.ts';
import { openTcpProxy, type Fate } from '../support/tcp-proxy.ts';

/**
 * Two jobs, or one whose settings changed, keep their ledgers in schemas of their own and load one table.
 * What a run that was cut off amid its commits has left is ended as its own ledger says.
 */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const jobOf = (ledgerSchema: string, file: string) => ({
  settings: { ledgerSchema, concurrency: 2 },
  loads: [{ table: scene.table, files: [file], strategy: 'partitioned' as const }],
});

/** Loads two files by two owners, under the ledger `first`; its session ends at the n-th of their commits. */
async function cutOff(nth: number, first: string): Promise<void> {
  const { db, folder } = scene;
  const rows = Array.from({ length: 40 }, (_, row) => `${row},a\n`).join('');
  const a = `id,name\n${rows}`;
  await scene.write({ 'a1.csv': a, 'a2.csv': a, 'b.csv': 'id,name\n7,b\n100,b\n' });
  const plan = await planJob(db.url, jobOf(first, 'a*.csv'), { cwd: folder });
  let commits = 0;
  const fateOf = (statement: string): Fate =>
    /^commit prepared/i.test(statement) && ++commits === nth ? 'kill-before' : 'pass';
  const kill = (pid: number) => db.query('select pg_terminate_backend($1)', [pid]);
  const proxy = await openTcpProxy(db.url, { fateOf, kill });
  const report = await runPlan(proxy.url, plan, { parts: { ownerRowsMin: 1 } });
  await proxy.close();
  expect(report).toMatchObject({ status: 'failed', error: { code: 'ETL_CONNECTION' } });
  const left = await db.query(`select from pg_prepared_xacts where database = current_database()`);
  expect(left).toHaveLength(3 - nth);
}

const rowsNamed = async (): Promise<readonly unknown[]> =>
  scene.db.query(`select name, count(*)::int from ${scene.table} group by name order by name`);

describe.for(['first', 'a: "b"'])('cut off under the ledger %s', (first) => {
  test('after the ledger was committed: a run with another ledger commits the rest', async () => {
    await cutOff(2, first);
    const { report } = await load(scene.db.url, jobOf('second', 'b.csv'), { cwd: scene.folder });
    expect(report.status).toBe('loaded');
    expect(await rowsNamed()).toEqual([
      { name: 'a', count: 39 },
      { name: 'b', count: 2 },
    ]);
    for (const ledger of [first, 'second']) await expectNoLeaks(scene.db.url, ledger);
    const again = await load(scene.db.url, jobOf(first, 'a*.csv'), { cwd: scene.folder });
    expect(again.report.loads[0]?.files[0]?.status).toBe('skipped');
  });

  test('before it was: such a run rolls all back, and the first job loads all', async () => {
    await cutOff(1, first);
    await load(scene.db.url, jobOf('second', 'b.csv'), { cwd: scene.folder });
    expect(await rowsNamed()).toEqual([{ name: 'b', count: 2 }]);
    for (const ledger of [first, 'second']) await expectNoLeaks(scene.db.url, ledger);
    const again = await load(scene.db.url, jobOf(first, 'a*.csv'), { cwd: scene.folder });
    expect(again.report.loads[0]?.files[0]?.status).toBe('loaded');
    expect(await rowsNamed()).toEqual([
      { name: 'a', count: 40 },
      { name: 'b', count: 1 },
    ]);
  });
});

test('a ledger that was renamed is the one that a job names now', async () => {
  await cutOff(2, 'before');
  await scene.db.query('alter schema before rename to renamed');
  const other = load(scene.db.url, jobOf('second', 'b.csv'), { cwd: scene.folder });
  await expect(other).rejects.toMatchObject({
    record: {
      code: 'ETL_USAGE',
      sentence: expect.stringContaining('in the ledger before, which is not there') as string,
    },
  });
  expect(await rowsNamed()).toMatchObject([{ name: 'a' }]);
  const own = await load(scene.db.url, jobOf('renamed', 'a*.csv'), { cwd: scene.folder });
  expect(own.report.loads[0]?.files[0]?.status).toBe('skipped');
  expect(await rowsNamed()).toEqual([{ name: 'a', count: 40 }]);
});

test('a role that may not read the other ledger is told so, and ends nothing', async () => {
  const { db, table, folder } = scene;
  await cutOff(2, 'hidden');
  const role = `loader_${table}_${db.name}`;
  await db.query(
    `create role ${role} login password 'secret'; create schema ${role} authorization ${role};
     grant select, insert, update on ${table} to ${role}`,
  );
  try {
    const url = db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`);
    const refused = load(url, jobOf(role, 'b.csv'), { cwd: folder });
    await expect(refused).rejects.toMatchObject({
      record: { code: 'ETL_PRIVILEGE', sentence: expect.stringContaining(':hidden') as string },
    });
  } finally {
    await db.query(`drop owned by ${role}; drop role ${role}`);
  }
  await load(db.url, jobOf('second', 'b.csv'), { cwd: folder });
  expect(await rowsNamed()).toEqual([
    { name: 'a', count: 39 },
    { name: 'b', count: 2 },
  ]);
});
