import type { Connection } from './connect.ts';
import { fieldsSql, type FurtherColumns } from './corrected-fields.ts';
import { tablesIn, type LedgerContext } from './ledger.ts';
import type { MergeTarget } from './merge-sql.ts';
import { quoted } from './names.ts';
import type { StagingTable } from './staging.ts';
import { whileNamed } from './still-named.ts';

/**
 * Corrected rows as one table takes them, staged under the places of their files (`etl_file`) and their
 * records (`etl_row`). A row counts as if it had stood there when the files were loaded; so whether it
 * is written depends on the rows of the same key that were loaded, before and behind it.
 */
export interface Corrections {
  readonly target: MergeTarget;
  /** Those that have not lost. */
  readonly table: StagingTable;
  /** Qualified name of the table of what noteLater finds. */
  readonly later: string;
}

const ALL = 'pg_temp.etl_corrections';

/** Keeps a copy of all, which becomes part of the ledger; the rows that lose are deleted meanwhile. */
export async function keepAll(connection: Connection, table: StagingTable): Promise<void> {
  await connection.query(
    `drop table if exists ${ALL}; create temp table etl_corrections as select * from ${table.sqlName}`,
  );
}

/** The copy of all: every one, whether it loses to others in the load's own table or not. */
export function allCorrections(table: StagingTable): StagingTable {
  const views = (table.views ?? []).map((view) => ({ ...view, sqlName: ALL }));
  return { ...table, sqlName: ALL, views };
}

/** `place`: of the table among those of the load. The first, its own, takes the staged rows themselves. */
export async function beginCorrections(
  connection: Connection,
  target: MergeTarget,
  staged: StagingTable,
  place: number,
): Promise<Corrections> {
  const later = `pg_temp.etl_later_${place}`;
  await connection.query(
    `drop table if exists ${later};
     create temp table etl_later_${place}
       (etl_file integer, etl_row bigint, shown text, primary key (etl_file, etl_row))`,
  );
  const table = place === 0 ? staged : await copyOf(connection, staged, place);
  await connection.query(`analyze ${table.sqlName}`);
  return { target, table, later };
}

/** What a further table takes of the rows, which each table loses others of. */
async function copyOf(
  connection: Connection,
  { kind, fileColumn, columns, where = 'true' }: StagingTable,
  place: number,
): Promise<StagingTable> {
  const sqlName = `pg_temp.etl_corrections_${place}`;
  await connection.query(
    `drop table if exists ${sqlName};
     create temp table etl_corrections_${place} as select * from ${ALL} where ${where}`,
  );
  return { sqlName, kind, fileColumn, columns };
}

export async function endCorrections(
  connection: Connection,
  tables: readonly Corrections[],
): Promise<void> {
  const names = tables.flatMap(({ table, later }) => [table.sqlName, later]);
  await connection.query(`drop table if exists ${[ALL, ...names].join(', ')}`);
}

export interface PlacedRow {
  readonly file: number;
  readonly record: number;
}

/** Rows that are still bad do not become part of the ledger, nor of further tables. */
export async function forgetCorrections(
  connection: Connection,
  tables: readonly Corrections[],
  rows: readonly PlacedRow[],
): Promise<void> {
  for (const sqlName of [ALL, ...tables.slice(1).map(({ table }) => table.sqlName)]) {
    await forgetRows(connection, sqlName, rows);
  }
}

export async function forgetRows(
  connection: Connection,
  sqlName: string,
  rows: readonly PlacedRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await connection.query(
    `delete from ${sqlName} c using json_to_recordset($1) as r (file integer, record bigint)
      where c.etl_file = r.file and c.etl_row = r.record`,
    [JSON.stringify(rows)],
  );
}

/**
 * Writes into the ledger which rows are corrected, and what they are: in the transaction that writes
 * them into the table, so that none is loaded twice. `files`: what the places are.
 */
export async function recordCorrections(
  connection: Connection,
  ledger: Pick<LedgerContext, 'schema' | 'tableOid' | 'tableName' | 'furtherTables'>,
  { columns }: StagingTable,
  further: readonly FurtherColumns[],
  files: readonly { readonly place: number; readonly runId: string; readonly path: string }[],
): Promise<void> {
  const places = `json_to_recordset($2) as p (place integer, "runId" text, path text)`;
  const { schema, tableOid } = ledger;
  const params = [tableOid, JSON.stringify(files)];
  await connection.query(
    `insert into ${quoted(schema)}.corrected (run_id, table_oid, path, record, fields)
     select p."runId", ${whileNamed('$1::oid', tablesIn(ledger))}, p.path, k.etl_row, ${fieldsSql('k', columns, further)}
       from ${ALL} k join ${places} on p.place = k.etl_file`,
    params,
  );
  await connection.query(
    `update ${quoted(schema)}.reject r set corrected = r.corrected + c.records
       from (select etl_file, range_agg(int8range(etl_row, etl_row + 1)) as records
               from ${ALL} group by etl_file) c
       join ${places} on p.place = c.etl_file
      where r.run_id = p."runId" and r.table_oid = $1 and r.path = p.path`,
    params,
  );
}
