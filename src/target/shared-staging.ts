import type { Connection } from './connect.ts';
import { freshPrefix } from './fresh-table.ts';
import { hasLoaded } from './ledger.ts';
import { literal, quoted } from './names.ts';

/** Staging that all workers read lies in the ledger's schema; its name says whose it is. */
export function sharedStagingName(
  schema: string,
  owner: { readonly tableOid: number; readonly runId: string; readonly unit: number },
): string {
  return `${quoted(schema)}.${quoted(`staging_${owner.tableOid}_${owner.runId}_${owner.unit}`)}`;
}

/** Name of an owner's prepared transaction. `file`: pathDigest of one that it loads with the others. */
export function preparedName(
  { tableOid, runId }: { readonly tableOid: number; readonly runId: string },
  owner: number,
  file: string,
): string {
  return `etl:${tableOid}:${runId}:${owner}:${file}`;
}

/**
 * Drops all shared staging of a table. Only who holds the table's lock may call it: whatever lies
 * there then is its own, or left by a run that is gone.
 */
export async function dropSharedStaging(
  connection: Connection,
  schema: string,
  tableOid: number,
): Promise<number> {
  const names = await connection.query(
    `select c.relname as name
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relkind = 'r' and starts_with(c.relname, $2)`,
    [schema, `staging_${tableOid}_`],
  );
  for (const row of names) {
    await connection.query(`drop table if exists ${quoted(schema)}.${quoted(String(row['name']))}`);
  }
  return names.length;
}

/**
 * Whether a run that died, or one that is at work, has prepared transactions or staging here, or
 * twins of the table beside it (fresh-table.ts).
 */
export async function leftBehind(
  connection: Connection,
  schema: string,
  table: { readonly oid: number; readonly schema: string },
): Promise<boolean> {
  const [row] = await connection.query(
    `select exists (select from pg_catalog.pg_prepared_xacts
                     where database = current_database() and starts_with(gid, $1))
         or exists (select from pg_catalog.pg_class c
                      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                     where c.relkind = 'r'
                       and (n.nspname = $2 and starts_with(c.relname, $3)
                         or n.nspname = $4 and starts_with(c.relname, $5))) as there`,
    [`etl:${table.oid}:`, schema, `staging_${table.oid}_`, table.schema, freshPrefix(table.oid)],
  );
  return row?.['there'] === true;
}

/**
 * Ends the prepared transactions that a run left behind when it died between prepare and commit.
 * Owner 0, which carries the ledger rows, is committed first: so where the ledger has the file that
 * the name tells the rest is committed, and where it has not all is rolled back.
 */
export async function recoverPrepared(
  connection: Connection,
  schema: string,
  tableOid: number,
): Promise<number> {
  const rows = await connection.query(
    'select gid from pg_catalog.pg_prepared_xacts where database = current_database() and starts_with(gid, $1)',
    [`etl:${tableOid}:`],
  );
  for (const row of rows) {
    const gid = String(row['gid']);
    const [, , runId = '', , file = ''] = gid.split(':');
    const committed = await hasLoaded(connection, { schema, tableOid, runId }, file);
    await connection.query(`${committed ? 'commit' : 'rollback'} prepared ${literal(gid)}`);
  }
  return rows.length;
}
