import { EtlError } from '../../errors.ts';
import type { LoadPlan, Plan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import { findLoadedBeside, type LoadedBeside } from '../../target/loaded-order.ts';
import { writes, type LoadedPlace } from './loaded-places.ts';

/**
 * Refuses corrected rows that may have to lose, in a further table, to rows which came there by another
 * load. The ledger keeps a file under the table of its load alone; but a run notes all tables that it
 * holds. So what a run has loaded that held the further table came there, too, unless it is known to be
 * of a load of this job that does not write it. What was there before the run that rejected the rows is
 * no matter: with `update` they win, and with `ignore` they lose to it wherever it came from.
 *
 * @throws EtlError ETL_USAGE
 */
export async function refuseOtherSources(
  connection: Connection,
  { loads, settings }: Pick<Plan, 'loads' | 'settings'>,
  load: LoadPlan,
  waiting: readonly LoadedPlace[],
): Promise<void> {
  const tableOid = load.table.oid;
  const runId = waiting[0]?.reject?.runId;
  if (tableOid === null || runId === undefined) return;
  for (const { table, onConflict } of load.targets ?? []) {
    if (table.oid === null || onConflict === 'append') continue;
    const run = { tableOid, runId };
    const beside = await findLoadedBeside(connection, settings.ledgerSchema, run, table.oid);
    const other = beside.find((each) => !isApart(each, loads, table.oid));
    if (other !== undefined) throw alsoLoaded(other, table.sqlName);
  }
}

/** Whether it is of a load that does not write the table. */
function isApart(
  { tableOid, fingerprint }: LoadedBeside,
  loads: readonly LoadPlan[],
  oid: number | null,
): boolean {
  const known = loads.filter(
    (load) => load.table.oid === tableOid && load.fingerprint === fingerprint,
  );
  return known.length > 0 && known.every((load) => !writes(load, oid));
}

function alsoLoaded({ path, tableName }: LoadedBeside, table: string): EtlError {
  return new EtlError(
    'ETL_USAGE',
    `A run that wrote ${table} has loaded the file into ${tableName}; so rows may have come to ${table} by another load, and it cannot be told which of them come behind the corrected ones.`,
    'Load the corrected rows as a file of their own.',
    { file: path, table },
  );
}
