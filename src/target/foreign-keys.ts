import type { Connection } from './connect.ts';

/** Names of the foreign keys that lead from one of the tables to another of them. */
export async function foreignKeysBetween(
  connection: Connection,
  oids: readonly number[],
): Promise<string[]> {
  const rows = await connection.query(
    `select conname::text as name from pg_catalog.pg_constraint
      where contype = 'f' and conrelid <> confrelid
        and conrelid = any ($1::oid[]) and confrelid = any ($1::oid[])
      order by 1`,
    [[...oids]],
  );
  return rows.map((row) => String(row['name']));
}
