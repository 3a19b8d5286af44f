import type { Connection } from './connect.ts';
import { quoted } from './names.ts';

/** A file that a table holds, as the ledger has it last. */
export interface OrderedFile {
  readonly path: string;
  /** Place in its load. */
  readonly ordinal: number;
  readonly runId: string;
  /** Runs on one table follow each other: a larger number is a later run. */
  readonly run: number;
  /** Rows that were rejected. */
  readonly rejected: number;
}

/** All files that were loaded into the table, each by its latest load. */
export async function filesInTable(
  connection: Connection,
  schema: string,
  tableOid: number,
): Promise<OrderedFile[]> {
  const rows = await connection.query(
    `select distinct on (path) path, ordinal, run_id, rejected,
            min(id) over (partition by run_id)::float8 as run
       from ${quoted(schema)}.ledger where table_oid = $1 order by path, id desc`,
    [tableOid],
  );
  return rows.map((row) => ({
    path: String(row['path']),
    ordinal: Number(row['ordinal']),
    runId: String(row['run_id']),
    run: Number(row['run']),
    rejected: Number(row['rejected'] ?? 0),
  }));
}
