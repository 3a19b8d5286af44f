import { afterAll, expect, test } from 'vitest';
import { planJob, runPlan } from '../support/load.ts';
import {
  printTallies,
  throughProxy,
  tryEveryMoment,
  type FaultyLoad,
  type FaultTally,
} from '../support/nth-fault.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { filesOf, useScene } from '../support/scene.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

/**
 * The line is cut between a COMMIT and its answer, for every commit of a run. Whether the server got
 * it nobody can know but the ledger, and it decides.
 */
const scene = useScene(() => '');
const FILE = 'test/integration/commit-in-doubt.test.ts';

const tallies = new Map<string, FaultTally>();
afterAll(() => printTallies(tallies));

const LOADS: readonly (readonly [string, FaultyLoad])[] = [
  ['file pipeline', { strategy: 'hybrid' }],
  ['append', { strategy: 'full-parallel', onConflict: 'append' }],
  ['fresh table and ledger', { strategy: 'full-parallel', fresh: true }],
  ['partitioned, prepared', { strategy: 'partitioned', owners: true }],
  ['partitioned, not prepared', { strategy: 'partitioned', owners: true, prepared: false }],
];
const isCommit = (statement: string): boolean => /^(commit|prepare transaction)/i.test(statement);

test.for(
  LOADS.flatMap(([name, load]) => [
    [name, 'cut-before', load] as const,
    [name, 'cut-after', load] as const,
  ]),
)('%s: the line is %s the n-th commit', async ([name, fate, load]) => {
  const files = overlappingFiles(4, 15, load.fresh === true ? 100 : 10);
  await scene.write(csvFiles(files));
  const { db, folder, table } = scene;
  const replay = `--project integration ${FILE} -t '${name}: the line is ${fate}'`;
  const run = throughProxy(db, fate, isCommit);
  const tally = await tryEveryMoment({ db, folder, table, files }, load, replay, run);
  expect(tally.tried).toBeGreaterThanOrEqual(3);
  tallies.set(`${name}, ${fate} the commit`, tally);
});

/** Until a session waits for the end of another's transaction. */
async function untilBlocked(): Promise<void> {
  const waiting = (): Promise<unknown[]> =>
    scene.db.query(
      `select from pg_locks l join pg_stat_activity a using (pid)
        where a.datname = current_database() and l.locktype = 'transactionid' and not l.granted`,
    );
  await expect.poll(waiting, { timeout: 10_000 }).toHaveLength(1);
}

test.for(['update', 'append', 'partitioned'] as const)(
  'a commit that lands only after the line is lost, and the next try is under way (%s)',
  async (kind) => {
    const { db, folder, table } = scene;
    const append = kind === 'append';
    await db.query(`create table ${table} (id int ${append ? '' : 'primary key'}, name text);
                    insert into ${table} values (1, 'old'), (9, 'old')`);
    await scene.write({ 'a.csv': 'id,name\n1,a\n2,a\n' });
    const strategy = kind === 'partitioned' ? kind : ('full-parallel' as const);
    const onConflict = append ? ('append' as const) : ('update' as const);
    const plan = await planJob(
      db.url,
      { loads: [{ table, files: ['a.csv'], strategy, onConflict }] },
      { cwd: folder },
    );
    let land = (): void => undefined;
    const late = new Promise<void>((resolve) => (land = resolve));
    let ledger = false;
    let cut = false;
    const proxy = await openTcpProxy(db.url, {
      late,
      fateOf: (statement) => {
        ledger ||= /insert into "etl"\.ledger/.test(statement);
        if (cut || !ledger || !isCommit(statement)) return 'pass';
        cut = true;
        return 'cut-during';
      },
    });
    try {
      const running = runPlan(proxy.url, plan, {});
      await untilBlocked();
      land();
      const report = await running;
      expect([report.status, report.error]).toEqual(['loaded', null]);
      expect(filesOf(report)).toMatchObject([{ status: 'loaded', rowsRead: 2 }]);
      expect(await db.query(`select * from ${table} where name = 'a' order by id`)).toEqual([
        { id: 1, name: 'a' },
        { id: 2, name: 'a' },
      ]);
      const sql = 'select path from etl.ledger where run_id = $1';
      expect(await db.query(sql, [report.runId])).toHaveLength(1);
    } finally {
      land();
      await proxy.close();
    }
  },
);
