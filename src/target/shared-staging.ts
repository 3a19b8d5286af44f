import type { Connection } from './connect.ts';
import { freshPrefix } from './fresh-table.ts';
import { quoted } from './names.ts';

/** Staging that all workers read lies in the ledger's schema; its name says whose it is. */
export function sharedStagingName(
  schema: string,
  owner: { readonly tableOid: number; readonly runId: string; readonly unit: number },
): string {
  return `${quoted(schema)}.${quoted(`staging_${owner.tableOid}_${owner.runId}_${owner.unit}`)}`;
}

/**
 * Drops all shared staging of a table, also in the schemas of other ledgers, where the job had another
 * one when its run died, or another job has. Only who holds the table's lock may call it: whatever lies
 * there then is its own, or left by a run that is gone.
 */
export async function dropSharedStaging(
  connection: Connection,
  schema: string,
  tableOid: number,
): Promise<number> {
  const names = await connection.query(
    `select n.nspname as schema, c.relname as name
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where ${isSharedStaging('$1', '$2')}`,
    [schema, `staging_${tableOid}_`],
  );
  for (const row of names) {
    const [own, name] = [String(row['schema']), String(row['name'])];
    await connection.query(`drop table if exists ${quoted(own)}.${quoted(name)}`);
  }
  return names.length;
}

/**
 * In a schema that is not the ledger's only what is a run's by all that is seen of it, and may be dropped.
 */
function isSharedStaging(schema: string, prefix: string): string {
  return `c.relkind = 'r' and starts_with(c.relname, ${prefix})
          and (n.nspname = ${schema}
               or c.relpersistence = 'u'
                  and c.relname ~ '^staging_[0-9]+_[0-9]{14}-[0-9a-f]{6}_[0-9]+$'
                  and pg_catalog.pg_has_role(c.relowner, 'USAGE')
                  and pg_catalog.has_schema_privilege(n.oid, 'USAGE'))`;
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
                     where ${isSharedStaging('$2', '$3')}
                        or c.relkind = 'r' and n.nspname = $4 and starts_with(c.relname, $5)) as there`,
    [`etl:${table.oid}:`, schema, `staging_${table.oid}_`, table.schema, freshPrefix(table.oid)],
  );
  return row?.['there'] === true;
}
