import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import { stagedLookups } from '../../target/lookup-sql.ts';
import {
  createSingly,
  createTogether,
  isAnyMissing,
  lookUp,
  unmatchedRows,
  withIds,
} from '../../target/lookups.ts';
import { deleteRows } from '../../target/refused-rows.ts';
import type { StagingTable } from '../../target/staging.ts';
import type { TargetColumn } from '../../target/table.ts';
import { unmatchedError } from '../unmatched-row.ts';
import type { RejectedRow } from './reject-spool.ts';

/**
 * Puts what is looked up beside corrected rows, as a load does: a row that was bad since nothing was
 * beside its value may be good by now. Those that are still bad are taken out, and told.
 */
export async function lookUpCorrected(
  connection: Connection,
  tables: readonly (readonly TargetColumn[])[],
  table: StagingTable,
  files: readonly FilePlan[],
  onBad: (row: RejectedRow) => void,
): Promise<StagingTable> {
  const lookups = stagedLookups(tables, table);
  if (lookups.length === 0) return table;
  for (const lookup of lookups) {
    await lookUp(connection, table, lookup);
    if (lookup.lookup.required === false) continue;
    if (lookup.lookup.insertMissing && (await isAnyMissing(connection, lookup))) {
      const created = await createTogether(connection, table, lookup, false);
      if (created === null) await createSingly(connection, table, lookup);
    }
    for (;;) {
      const bad = await unmatchedRows(connection, table, lookup, LIMITS.refusedRowsHeldMax);
      if (bad.length === 0) break;
      for (const row of bad) {
        const file = files.find(({ ordinal }) => ordinal === row.file);
        const { sentence, facts } = unmatchedError(lookup, row, file).record;
        onBad({
          file: row.file ?? 0,
          record: row.row,
          column: facts.column ?? null,
          sqlState: facts.sqlState ?? null,
          reason: sentence,
        });
      }
      await deleteRows(connection, table, bad);
    }
  }
  return withIds(connection, tables, table, lookups);
}
