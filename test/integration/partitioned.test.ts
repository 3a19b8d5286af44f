import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/run/events.ts';
import { pathDigest } from '../../src/target/ledger.ts';
import { statusesOf, useScene } from '../support/scene.ts';

/** The range pipeline with more than one owner, and what a run that died in it leaves behind. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

/** Rows that make more than one owner worth while. */
const ROWS = 40_000;

function rowsOf(name: string, first: number): string {
  const lines = Array.from({ length: ROWS }, (_, row) => `${first + row},${name}\n`);
  return `id,name\n${lines.join('')}`;
}

test.for(['read committed', 'serializable'])(
  'two owners commit together, by prepared transactions (default: %s)',
  async (isolation) => {
    await scene.db.query(
      `alter database ${scene.db.name} set default_transaction_isolation to '${isolation}'`,
    );
    await scene.write({ 'a.csv': rowsOf('a', 0), 'b.csv': rowsOf('b', ROWS / 2) });
    await scene.db.query(`insert into ${scene.table} values (1, 'a'), (2, 'old'), (-1, 'old')`);
    const words = ['*.csv', '--strategy', 'partitioned', '--concurrency', '2'];
    const end = await scene.run(words);
    expect([end.code, statusesOf(end.report)]).toEqual([0, ['loaded', 'loaded']]);
    expect(end.report?.loads[0]?.totals).toEqual({
      rowsRead: 2 * ROWS,
      inserted: 1.5 * ROWS - 2,
      updated: 1,
      unchanged: 1,
      superseded: ROWS / 2,
      rejected: 0,
    });
    const [wrong] = await scene.db.query(
      `select count(*)::int as wrong
       from ${scene.table} t
       full join (select id, case when id < ${ROWS / 2} then 'a' else 'b' end as name
                    from generate_series(0, ${1.5 * ROWS} - 1) id
                  union all select -1, 'old') o using (id)
      where t.name is distinct from o.name`,
    );
    expect(wrong).toEqual({ wrong: 0 });
  },
);

test.for([
  ['before any of it was committed: it is rolled back', false],
  ['after its ledger was committed: the rest is committed', true],
] as const)('a run died between prepare and commit, %s', async ([, committed]) => {
  const { db, table } = scene;
  await scene.write({ 'a.csv': 'id,name\n1,a\n' });
  expect((await scene.run(['*.csv'])).code).toBe(0);
  const [found] = await db.query<{ oid: string }>(`select $1::regclass::oid::text as oid`, [table]);
  const oid = found?.oid ?? '';
  const dead = await db.client();
  await dead.query(`begin; insert into ${table} values (50, 'dead')`);
  await dead.query(`prepare transaction 'etl:${oid}:dead-run:1:${pathDigest('/x.csv')}'`);
  await dead.query(`create unlogged table etl.staging_${oid}_dead_0 (c0 int)`);
  await dead.end();
  if (committed) {
    await db.query(
      `insert into etl.ledger (run_id, plan_id, table_oid, table_name, path, ordinal, bytes,
                               mtime_ms, content_hash, fingerprint, strategy, rows_read)
       values ('dead-run', 'p', $1, $2, '/x.csv', 0, 1, 1, 'h', 'f', 'partitioned', 1)`,
      [oid, table],
    );
  }

  const notices: RunEvent[] = [];
  await scene.write({ 'b.csv': 'id,name\n2,b\n' });
  const end = await scene.run(['*.csv'], {
    onEvent: (event) => {
      if (event.kind === 'notice') notices.push(event);
    },
  });
  expect([end.code, statusesOf(end.report)]).toEqual([0, ['skipped', 'loaded']]);
  expect(notices).toMatchObject([
    { sentence: expect.stringContaining('1 prepared transactions were ended') as string },
  ]);
  const ids = await db.query(`select id from ${table} order by id`);
  expect(ids.map(({ id }) => id)).toEqual(committed ? [1, 2, 50] : [1, 2]);
});
