import { expect, test } from 'vitest';
import { planJob, runPlan } from '../support/load.ts';
import { filesOf, useScene } from '../support/scene.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

/**
 * Two loads of a run into one table: what the first has committed says nothing of the second, whose
 * commits are lost before the server gets them.
 */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

test.for([
  ['prepared', /^prepare transaction/i],
  ['not prepared', /^commit/i],
] as const)('partitioned, %s: a lost commit is tried again', async ([kind, isCommit]) => {
  const { db, folder, table } = scene;
  await scene.write({
    'a.csv': 'id,name\n1,a\n2,a\n3,a\n4,a\n',
    'b.csv': 'id,name\n1,b\n9,b\n',
    'c.csv': 'id,name\n8,c\n',
  });
  const loads = [['a.csv'], ['b.csv', 'c.csv']].map((files) => ({
    table,
    files,
    strategy: 'partitioned' as const,
  }));
  const job = { settings: { concurrency: 2 }, loads };
  const planned = await planJob(db.url, job, { cwd: folder });
  const plan =
    kind === 'prepared'
      ? planned
      : { ...planned, server: { ...planned.server, maxPreparedTransactions: 0 } };
  let ofSecond = false;
  let cuts = 0;
  const proxy = await openTcpProxy(db.url, {
    fateOf: (statement) => {
      if (!ofSecond || cuts > 0 || !isCommit.test(statement)) return 'pass';
      cuts += 1;
      return 'cut-before';
    },
  });
  try {
    const report = await runPlan(proxy.url, plan, {
      parts: { ownerRowsMin: 1, sleep: async () => undefined },
      onEvent: (event) => {
        if (event.kind === 'file-merging' && event.load === 1) ofSecond = true;
      },
    });
    expect(cuts).toBe(1);
    expect([report.status, report.error]).toEqual(['loaded', null]);
    expect(filesOf(report)).toMatchObject([{ status: 'loaded' }]);
    const rows = await db.query(`select id, name from ${table} order by id`);
    expect(rows.map(({ id, name }) => `${String(id)}${String(name)}`)).toEqual([
      ...['1b', '2a', '3a', '4a', '8c', '9b'],
    ]);
    expect(await db.query('select from etl.ledger where run_id = $1', [report.runId])).toHaveLength(
      3,
    );
  } finally {
    await proxy.close();
  }
});
