import type { Connection } from './connect.ts';

/** The methods by which the server can compress large values: pglz, and lz4 where it is built with it. */
export async function readCompressions(connection: Connection): Promise<readonly string[]> {
  const [row] = await connection.query(
    `select enumvals from pg_catalog.pg_settings where name = 'default_toast_compression'`,
  );
  return (row?.['enumvals'] ?? []) as readonly string[];
}

/** Of a row above which PostgreSQL compresses large values, or writes them apart (TOAST_TUPLE_THRESHOLD). */
export const LARGE_ROW_BYTES = 2_000;

/** How a table keeps the large values of a column: as they are, or by one of the server's methods. */
export type KeptAs = 'none' | 'pglz' | 'lz4';

/**
 * By column, of those whose values can be compressed. Nothing of a partitioned table, where each
 * partition has its own way.
 */
export async function keptCompressions(
  connection: Connection,
  tableOid: number,
): Promise<ReadonlyMap<string, KeptAs>> {
  const rows = await connection.query(
    `select a.attname as name,
            case when a.attstorage = 'e' then 'none' when a.attcompression = 'l' then 'lz4'
                 when a.attcompression = 'p' then 'pglz'
                 else pg_catalog.current_setting('default_toast_compression') end as kept
       from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
      where a.attrelid = $1::oid and c.relkind = 'r' and a.attstorage <> 'p'
        and a.attnum > 0 and not a.attisdropped`,
    [tableOid],
  );
  return new Map(rows.map(({ name, kept }) => [String(name), kept as KeptAs]));
}
