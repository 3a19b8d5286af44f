import type { Connection } from './connect.ts';
import { ledgerExists } from './ledger-schema.ts';
import { quoted } from './names.ts';

/** What the ledger has of files under the name of a table, but with another oid than the table has. */
export interface GoneEntries {
  readonly tableOid: number;
  readonly files: number;
  readonly rows: number;
}

/**
 * The latest such table; null where there is none. Whether a table has that oid says nothing: where a
 * dump is restored, oids are given out again, and that one may well be another table's. Each oid that
 * the ledger has is found by one descent of its index, so that a ledger of a million files is not
 * read.
 *
 * @param tableName as the ledger has it, of a table under whose oid the ledger has none of the paths
 */
export async function goneEntries(
  connection: Connection,
  schema: string,
  tableName: string,
  paths: readonly string[],
): Promise<GoneEntries | null> {
  if (!(await ledgerExists(connection, schema, 'ledger'))) return null;
  const ledger = `${quoted(schema)}.ledger`;
  const [row] = await connection.query(
    `with recursive known as (
       select min(table_oid) as oid from ${ledger}
       union all
       select (select min(l.table_oid) from ${ledger} l where l.table_oid > k.oid)
         from known k where k.oid is not null
     ), latest as (
       select distinct on (l.table_oid, l.path) l.table_oid, l.id, l.rows_read
         from known k
         join ${ledger} l on l.table_oid = k.oid and l.path = any ($2::text[])
        where l.table_name = $1
        order by l.table_oid, l.path, l.id desc
     )
     select table_oid::int8::float8 as oid, count(*)::float8 as files, sum(rows_read)::float8 as rows
       from latest group by table_oid order by max(id) desc limit 1`,
    [tableName, [...paths]],
  );
  return row === undefined
    ? null
    : { tableOid: Number(row['oid']), files: Number(row['files']), rows: Number(row['rows']) };
}
