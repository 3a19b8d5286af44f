import type { Connection } from './connect.ts';
import { fieldSql } from './corrected-fields.ts';
import { literal, quoted } from './names.ts';
import { rangesText } from './record-ranges.ts';
import type { RejectRecord } from './reject-record.ts';
import type { StagingColumn, StagingTable } from './staging.ts';
import type { TargetColumn } from './table.ts';

/** A table that takes the staged rows. */
export interface SettledTable {
  /** Staged columns as it takes them. */
  readonly columns: readonly StagingColumn[];
  /** Its own columns. */
  readonly targets: readonly TargetColumn[];
  /** Its name where it is a further table of the load that corrected them; null: it is the load's own. */
  readonly further: string | null;
}

/**
 * With insertCorrected makes what is staged of one file that which its load has left in the table: takes
 * out the rows that were rejected then.
 */
export async function deleteRejected(
  connection: Connection,
  table: StagingTable,
  { records }: RejectRecord,
): Promise<void> {
  await connection.query(
    `delete from ${table.sqlName} where etl_row <@ ${literal(rangesText(records))}::int8multirange`,
  );
}

/**
 * Puts in those that were corrected since, in their places. Where values are looked up that is done
 * once they are: the ledger has the ids that were found.
 */
export async function insertCorrected(
  connection: Connection,
  table: StagingTable,
  tables: readonly SettledTable[],
  reject: RejectRecord,
  ledger: { readonly schema: string; readonly tableOid: number },
): Promise<void> {
  if (reject.corrected.length === 0) return;
  const values = new Map(tables.flatMap(valuesOf));
  await connection.query(
    `insert into ${table.sqlName} (${['etl_row', ...values.keys()].join(', ')})
     select ${['record', ...values.values()].join(', ')} from ${quoted(ledger.schema)}.corrected
      where run_id = $1 and table_oid = $2 and path = $3`,
    [reject.runId, ledger.tableOid, reject.path],
  );
}

/** By staged column. What several tables take is staged once, and the same in all of them. */
function valuesOf({ columns, targets, further }: SettledTable): [string, string][] {
  return columns.flatMap(({ name, sqlType, target: named }) => {
    const target = targets.find((column) => column.name === named);
    if (target === undefined) return [];
    const text = fieldSql(target.name, further);
    // From text to the type of the table, and from that to what the file's own format is staged as.
    return [[name, sqlType === 'text' ? text : `${text}::${target.type.declared}`]];
  });
}
