import { expect, test } from 'vitest';
import { loadSequentially, tableDigest, type OracleFile } from '../../tools/oracle.ts';
import type { RunEvent } from '../../src/run/events.ts';
import { armSql, closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { filesOf, statusesOf, useScene } from '../support/scene.ts';

/**
 * A backend that dies in the middle of its work: the unit is tried again on a new connection, and
 * the table ends as if nothing had happened.
 */
const columns = (table: string): string =>
  `create table ${table} (id int primary key, name fault_staged check (fault('merge', name)), n int
                            check (n >= 0));`;
const scene = useScene((table) => `${columns(table)} ${columns(`${table}_oracle`)}`, FAULTS);

async function expectOracle(files: readonly OracleFile[]): Promise<void> {
  const table = `${scene.table}_oracle`;
  await loadSequentially(
    (sql, params) => scene.db.query(sql, params),
    { table, columns: ['id', 'name', 'n'], key: ['id'], onConflict: 'update', versionColumn: null },
    files,
  );
  const [oracle] = await scene.db.query(tableDigest(table));
  expect(await scene.db.query(tableDigest(scene.table))).toEqual([oracle]);
}

/** Bombs that never strike the oracle: they strike once, at their number. */
async function arm(kind: 'stage' | 'merge', strike: number): Promise<void> {
  await scene.db.query(armSql(kind, strike));
}

function withBomb(file: OracleFile, kind: 'stage' | 'merge', id: string): OracleFile {
  return { ...file, rows: [...file.rows, [id, `${kind} bomb`, '1']] };
}

// Threads take seconds to start, so half of the moments are tried with them.
test.for([
  ['while it stages', 'stage', 'full-parallel', true],
  ['while it merges', 'merge', 'hybrid', false],
  ['while it stages a partitioned load', 'stage', 'partitioned', false],
  ['while it merges a partitioned load', 'merge', 'partitioned', true],
] as const)('a backend that dies %s', async ([, kind, strategy, threads]) => {
  const files = overlappingFiles(4, 20, 5).map((file, place) =>
    place === 1 ? withBomb(file, kind, '99') : file,
  );
  await scene.write(csvFiles(files));
  await arm(kind, 0);
  const retried: RunEvent[] = [];
  const end = await scene.run(['*.csv', '--strategy', strategy, '--concurrency', '4'], {
    threads,
    onEvent: (event) => {
      if (event.kind === 'unit-retried') retried.push(event);
    },
  });
  expect([end.code, end.report?.error]).toEqual([0, null]);
  expect(statusesOf(end.report)).toEqual(['loaded', 'loaded', 'loaded', 'loaded']);
  expect(retried).toMatchObject([{ attempt: 2, error: { code: 'ETL_CONNECTION' } }]);
  const {
    rowsRead = 0,
    inserted = 0,
    updated = 0,
    unchanged = 0,
    superseded = 0,
  } = end.report?.loads[0]?.totals ?? {};
  expect(rowsRead).toBe(81);
  expect(inserted + updated + unchanged + superseded).toBe(81);
  if (strategy !== 'partitioned') expect(filesOf(end.report)[1]?.attempts).toBe(2);
  await expectOracle(files);
});

test('of a group that is merged file by file, what was committed is not merged again', async () => {
  const files = overlappingFiles(6, 10, 5).map((file, place) =>
    place === 1 ? withBomb(file, 'merge', '1000') : file,
  );
  const refused = { columns: ['id', 'name', 'n'], rows: [['1001', 'refused', '-1']] };
  await scene.write(csvFiles([...files.slice(0, 2), refused, ...files.slice(3)]));
  // The bomb's first row is of the merge of the whole group, its second of the file's own.
  await arm('merge', 1);
  const end = await scene.run(['*.csv', '--concurrency', '1']);
  expect([end.code, end.error?.facts.sqlState]).toEqual([1, '23514']);
  const none = 'not-loaded';
  expect(statusesOf(end.report)).toEqual(['loaded', 'loaded', 'failed', none, none, none]);
  expect(filesOf(end.report).slice(0, 3)).toMatchObject(Array(3).fill({ attempts: 2 }));
  expect(end.report?.loads[0]?.totals.rowsRead).toBe(21);
  const entries = await scene.db.query('select path from etl.ledger where run_id = $1', [
    end.report?.runId,
  ]);
  expect(entries).toHaveLength(2);
  await expectOracle(files.slice(0, 2));
});

test('one that dies again and again fails its file after a bounded number of tries', async () => {
  await scene.write({ 'f0.csv': 'id,name,n\n1,doomed,1\n' });
  await scene.db.query(
    `create or replace function always() returns boolean language plpgsql as
       'begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return true; end'`,
  );
  await scene.db.query(`alter table ${scene.table} add check (name <> 'doomed' or always())`);
  const end = await scene.run(['*.csv', '--concurrency', '1']);
  expect([end.code, end.error?.code]).toEqual([2, 'ETL_CONNECTION']);
  expect(end.error?.remedy).not.toBe('');
  expect(filesOf(end.report)[0]?.attempts).toBe(5);
  expect(await scene.db.query(`table ${scene.table}`)).toEqual([]);
});

test.for(['full-parallel', 'partitioned'] as const)(
  'the session that holds the lock on the table dies: the load stops, the next one ends it (%s)',
  async (strategy) => {
    const files = overlappingFiles(3, 20, 100);
    const [first, ...later] = files;
    const held = [...(first?.rows ?? []), ['99', 'merge gate', '1']];
    const all = [{ columns: ['id', 'name', 'n'], rows: held }, ...later];
    await scene.write(csvFiles(all));
    const gate = await scene.db.client();
    await gate.query(closeGateSql('merge'));
    const words = ['*.csv', '--strategy', strategy, '--concurrency', '3'];
    const running = scene.run(words);
    await untilWaiting(scene.db, 'merge');
    await scene.db.query(
      `select pg_terminate_backend(pid) from pg_locks
        where locktype = 'advisory' and classid = 6648940 and granted
          and database = (select oid from pg_database where datname = current_database())`,
    );
    const end = await running;
    await gate.end();
    expect([end.code, end.error?.code]).toEqual([2, 'ETL_CONNECTION']);
    expect(end.error?.sentence).toContain('The connection that held the lock');
    expect(end.report?.status).toBe('failed');
    expect(statusesOf(end.report)[0]).toBe('not-loaded');

    expect((await scene.run(words)).code).toBe(0);
    await expectOracle(all);
  },
);
