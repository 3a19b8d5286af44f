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

/** A run, as far as it loaded into one table. */
export interface RunOnTable {
  readonly tableOid: number;
  readonly runId: string;
}

/** What was loaded into another table by a run that held a further one, too. */
export interface LoadedBeside {
  readonly tableOid: number;
  readonly tableName: string;
  readonly fingerprint: string;
  /** One of the files. */
  readonly path: string;
}

/**
 * What was loaded into other tables, by the run or later, by runs that also held the table `further`: of
 * what further tables take the ledger tells no more.
 */
export async function findLoadedBeside(
  connection: Connection,
  schema: string,
  { tableOid, runId }: RunOnTable,
  further: number,
): Promise<LoadedBeside[]> {
  const ledger = `${quoted(schema)}.ledger`;
  const rows = await connection.query(
    `select distinct on (l.table_oid, l.fingerprint) l.table_oid::int8::float8 as table_oid,
            l.table_name, l.fingerprint, l.path
       from ${ledger} l join ${quoted(schema)}.run r using (run_id)
      where l.table_oid <> $1 and $3::int8::oid = any (r.tables)
        and l.id >= (select min(f.id) from ${ledger} f where f.table_oid = $1 and f.run_id = $2)
      order by l.table_oid, l.fingerprint, l.id`,
    [tableOid, runId, further],
  );
  return rows.map((row) => ({
    tableOid: Number(row['table_oid']),
    tableName: String(row['table_name']),
    fingerprint: String(row['fingerprint']),
    path: String(row['path']),
  }));
}
