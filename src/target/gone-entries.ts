import type { Connection } from './connect.ts';
import { ledgerExists } from './ledger-schema.ts';
import { quoted } from './names.ts';

/** What the ledger has of files under the name of a table, but with the oid of one that is gone. */
export interface GoneEntries {
  readonly tableOid: number;
  readonly files: number;
  readonly rows: number;
}

/**
 * The latest such table; null where there is none. Each oid that the ledger has is found by one descent
 * of its index, so that a ledger of a million files is not read.
 *
 * @param tableName as the ledger has it
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
     ), gone as (
       select k.oid from known k
        where k.oid is not null
          and not exists (select from pg_catalog.pg_class c
                           where c.oid = k.oid and c.relkind in ('r', 'p'))
     ), latest as (
       select distinct on (l.table_oid, l.path) l.table_oid, l.id, l.rows_read
         from gone g
         join ${ledger} l on l.table_oid = g.oid and l.path = any ($2::text[])
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
