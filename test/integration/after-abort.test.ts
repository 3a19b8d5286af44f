import { expect, test } from 'vitest';
import type { LoadPlan } from '../../src/plan/plan-types.ts';
import { outcomesAfterAbort } from '../../src/run/after-abort.ts';
import type { UnitOutcome } from '../../src/run/unit-outcome.ts';
import { connect } from '../../src/target/connect.ts';
import { planJob, runPlan } from '../support/load.ts';
import { useScene } from '../support/scene.ts';

/** What is told of units of which nobody heard again when a run was interrupted. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const unheard = (unit: number, attempts: number): UnitOutcome => ({
  ...{ unit, attempts, status: 'not-loaded', merged: null, failure: null, waitMs: 0 },
});

test('the ledger tells which of them are in the table, as a whole or in part', async () => {
  const { db, folder, table } = scene;
  await scene.write({
    'a.csv': 'id,name\n1,a\n',
    'b.csv': 'id,name\n2,b\n3,b\n',
    'c.csv': 'id,name\n4,c\n',
  });
  const job = { settings: { concurrency: 1 }, loads: [{ table, files: ['*.csv'] }] };
  const plan = await planJob(db.url, job, { cwd: folder });
  await runPlan(db.url, plan, {});
  const [run] = await db.query<{ id: string; oid: number }>(
    `delete from etl.ledger where path like '%/c.csv' returning run_id as id, table_oid::int as oid`,
  );
  const load = plan.loads[0] as LoadPlan;
  const unit = load.units[0] as LoadPlan['units'][number];
  // Each file by itself, and the last two together as well.
  const units = [[0], [1], [2], [1, 2]].map((files, ordinal) => ({ ...unit, files, ordinal }));
  const connection = await connect({
    ...{ databaseUrl: db.url, applicationName: 'test-support', connectTimeoutMs: 10_000 },
    session: {},
  });
  const ledger = {
    ...{ schema: 'etl', runId: run?.id ?? '', planId: '', tableOid: run?.oid ?? 0 },
    ...{ tableName: table, fingerprint: '', strategy: 'hybrid' },
  };
  const outcomes = [unheard(0, 1), unheard(1, 0), unheard(2, 1), unheard(3, 1)];
  const told = await outcomesAfterAbort(connection, ledger, { ...load, units }, outcomes);
  await connection.end();
  expect(told).toMatchObject([
    { status: 'merged', merged: { files: [{ file: 0 }], counts: { rowsRead: 1 } } },
    // It was not begun by this run.
    { status: 'not-loaded', merged: null },
    { status: 'not-loaded', merged: null },
    { status: 'not-loaded', merged: { files: [{ file: 1 }], counts: { rowsRead: 2 } } },
  ]);
});
