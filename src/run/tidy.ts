import { errorRecordOf } from '../errors.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import { dropFresh } from '../target/fresh-table.ts';
import { waitForEarlierWork } from '../target/at-work.ts';
import { lockTable, unlockTables } from '../target/run-record.ts';
import { recoverPrepared } from '../target/prepared.ts';
import { dropSharedStaging, leftBehind } from '../target/shared-staging.ts';
import { leftSpools } from './load-quarantine.ts';
import type { RunContext } from './run-context.ts';

interface LockedTable {
  readonly oid: number;
  readonly schema: string;
  readonly sqlName: string;
}

/** Ends what a run that died has left: its prepared transactions and its staging. */
export async function tidy(context: RunContext, table: LockedTable, index: number): Promise<void> {
  const { coordinator, plan, onEvent, parts, signal } = context;
  const { ledgerSchema } = plan.settings;
  await waitForEarlierWork(coordinator, table, parts.sleep, signal);
  if (!(await leftBehind(coordinator, ledgerSchema, table))) return;
  const prepared = await recoverPrepared(coordinator, ledgerSchema, table.oid);
  const fresh = await dropFresh(coordinator, table);
  const shared = await dropSharedStaging(coordinator, ledgerSchema, table.oid);
  const staging = fresh + shared;
  if (prepared + staging === 0) return;
  const sentence =
    `An earlier run was cut off: ${prepared} prepared transactions were ended and ` +
    `${staging} staging tables dropped.`;
  onEvent({ kind: 'notice', load: index, sentence });
}

/**
 * The same where the ledger says that all files are loaded. A run that died between its commits has
 * written the ledger and prepared the rest, so there is nothing to load, but rows are still missing.
 * While another run holds the table, what lies there is its own.
 */
export async function tidySkipped(
  context: RunContext,
  { table }: LoadPlan,
  index: number,
): Promise<void> {
  const { coordinator, plan, runId } = context;
  const { ledgerSchema } = plan.settings;
  const { oid } = table;
  const { schema } = table;
  if (oid === null) return;
  const removeSpools = await leftSpools(plan, oid);
  const left = await leftBehind(coordinator, ledgerSchema, { oid, schema });
  if (!left && removeSpools === null) return;
  try {
    await lockTable(coordinator, ledgerSchema, runId, { oid, sqlName: table.sqlName });
  } catch (error) {
    if (errorRecordOf(error).code === 'ETL_LOCKED') return;
    throw error;
  }
  try {
    await tidy(context, { oid, schema, sqlName: table.sqlName }, index);
    await removeSpools?.();
  } finally {
    if (coordinator.usable()) await unlockTables(coordinator);
  }
}
