import type { Connection } from './connect.ts';

/** The methods by which the server can compress large values: pglz, and lz4 where it is built with it. */
export async function readCompressions(connection: Connection): Promise<readonly string[]> {
  const [row] = await connection.query(
    `select enumvals from pg_catalog.pg_settings where name = 'default_toast_compression'`,
  );
  return (row?.['enumvals'] ?? []) as readonly string[];
}
