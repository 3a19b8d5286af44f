import type { Connection } from './connect.ts';
import { literal, quoted } from './names.ts';
import { rangesText } from './record-ranges.ts';
import type { RejectRecord } from './reject-record.ts';
import type { StagingTable } from './staging.ts';
import type { TargetColumn } from './table.ts';

/**
 * Makes what is staged of one file that which its load has left in the table: without the rows that
 * were rejected then, and with those that were corrected since, in their places.
 */
export async function settleRejected(
  connection: Connection,
  table: StagingTable,
  columns: readonly TargetColumn[],
  reject: RejectRecord,
  ledger: { readonly schema: string; readonly tableOid: number },
): Promise<void> {
  await connection.query(
    `delete from ${table.sqlName} where etl_row <@ ${literal(rangesText(reject.records))}::int8multirange`,
  );
  if (reject.corrected.length === 0) return;
  const staged = table.columns.flatMap((column) => {
    const target = columns.find(({ name }) => name === column.target);
    return target === undefined ? [] : [{ name: column.name, target }];
  });
  // From text to the type of the table, and from that to what the file's own format is staged as.
  const values = staged.map(
    ({ target }) => `(fields ->> ${literal(target.name)})::${target.type.declared}`,
  );
  await connection.query(
    `insert into ${table.sqlName} (etl_row, ${staged.map(({ name }) => name).join(', ')})
     select record, ${values.join(', ')} from ${quoted(ledger.schema)}.corrected
      where run_id = $1 and table_oid = $2 and path = $3`,
    [reject.runId, ledger.tableOid, reject.path],
  );
}
