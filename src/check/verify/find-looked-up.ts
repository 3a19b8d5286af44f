import type { Connection } from '../../target/connect.ts';
import { stagedLookups } from '../../target/lookup-sql.ts';
import { deleteUnmatched, lookUp, withIds } from '../../target/lookups.ts';
import { writable } from '../../target/reference.ts';
import type { StagingTable } from '../../target/staging.ts';
import type { TargetColumn } from '../../target/table.ts';

/**
 * Puts what is looked up beside the staged rows, as the load does, but creates nothing: what the load
 * created is there. Rows whose value is not there are left out, and counted.
 */
export async function findLookedUp(
  connection: Connection,
  columns: readonly TargetColumn[],
  table: StagingTable,
): Promise<{ readonly table: StagingTable; readonly unmatched: number }> {
  const lookups = stagedLookups([columns], table);
  if (lookups.length === 0) return { table, unmatched: 0 };
  let unmatched = 0;
  for (const lookup of lookups) {
    await writable(connection, () => lookUp(connection, table, lookup));
    if (lookup.lookup.required === false) continue;
    unmatched += await deleteUnmatched(connection, table, lookup);
  }
  return {
    table: await writable(connection, () => withIds(connection, [columns], table, lookups)),
    unmatched,
  };
}
