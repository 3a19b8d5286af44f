import { EtlError } from '../errors.ts';
import type { Connection } from './connect.ts';
import { literal, quoted } from './names.ts';
import type { TargetTable } from './table.ts';

/** Beside the table, in its schema, so that the schema's default privileges are its own, too. */
export function freshName(table: Pick<TargetTable, 'oid' | 'schema'>, runId: string): string {
  return `${quoted(table.schema)}.${quoted(`${freshPrefix(table.oid)}${runId}`)}`;
}

export function freshPrefix(tableOid: number): string {
  return `etl_fresh_${tableOid}_`;
}

/** A twin of the table without its index, to be filled by COPY; resolves to its oid. */
export async function createFresh(
  connection: Connection,
  table: TargetTable,
  fresh: string,
): Promise<number> {
  const like = `like ${sqlNameOf(table)} including all excluding indexes`;
  const [row] = await connection.query(
    `create table ${fresh} (${like}); select ${literal(fresh)}::regclass::oid::int8::float8 as oid`,
  );
  return Number(row?.['oid']);
}

function sqlNameOf({ schema, name }: Pick<TargetTable, 'schema' | 'name'>): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

/**
 * Whether the server writes no WAL for what a transaction brings into a table that it has made, or emptied,
 * itself: when it commits, the table's files are flushed instead.
 */
export async function skipsWal(connection: Connection): Promise<boolean> {
  const [row] = await connection.query(`select current_setting('wal_level') = 'minimal' as skips`);
  return row?.['skips'] === true;
}

/**
 * Inside the transaction that is to fill it; there is nothing in it that could be lost. The table's files are
 * flushed when it commits, so the server is told to begin with that while it writes: 100,000 documents of
 * 20 kB took 15.7 and 13.5 s in place of 23.4 and 17.2. On systems that cannot do it the setting's largest
 * value is 0, and where somebody has set it, it stays.
 */
export async function emptyFresh(connection: Connection, fresh: string): Promise<void> {
  await connection.query(`truncate ${fresh}`);
  await connection.query(
    `select set_config(name, least(max_val::int, ${FLUSHED_BLOCKS})::text, true)
       from pg_settings where name = 'backend_flush_after' and setting = '0'`,
  );
}

/** 2 MB, the most that the server takes. */
const FLUSHED_BLOCKS = 256;

/**
 * Puts the filled twin in the place of the table, inside the transaction that is open: it gets the
 * key (23505 where two rows share one) and the name. The table itself must still be as empty as
 * this run has made it, and as it was made: what others have given it since (a right, a policy, a trigger)
 * would be gone with it.
 */
export async function swapFresh(
  connection: Connection,
  table: TargetTable,
  fresh: string,
  key: readonly string[],
): Promise<void> {
  const target = sqlNameOf(table);
  await connection.query(`lock table ${target} in access exclusive mode`);
  const [row] = await connection.query(
    `select exists (select from ${target}) as filled, ${asMadeSql(table)} as as_made`,
  );
  if (row?.['filled'] === true || row?.['as_made'] !== true) {
    const what = row?.['filled'] === true ? 'filled' : 'altered';
    throw new EtlError('ETL_PLAN_STALE', `${table.sqlName} was ${what} meanwhile.`, 'Run again.');
  }
  const [constraint] = await connection.query(
    `select conname from pg_catalog.pg_constraint where conrelid = $1::oid and contype = 'p'`,
    [table.oid],
  );
  const name = quoted(String(constraint?.['conname']));
  await connection.query(`drop table ${target}`);
  await connection.query(
    `alter table ${fresh} add constraint ${name} primary key (${key.map(quoted).join(', ')})`,
  );
  await connection.query(`alter table ${fresh} rename to ${quoted(table.name)}`);
}

/**
 * Whether the table still bears its name, and all rows of the catalog that tell of it are of the transaction
 * that made it: nobody has given it a right, a column, a trigger, a policy or a comment since, published it
 * or attached it to another. ANALYZE and VACUUM change such rows where they are.
 */
function asMadeSql(table: Pick<TargetTable, 'oid' | 'schema' | 'name'>): string {
  const rows = Object.entries(TELLING).map(
    ([catalog, column]) => `select xmin from pg_catalog.${catalog} where ${column} = ${table.oid}`,
  );
  const named = `to_regclass(${literal(sqlNameOf(table))})::oid = ${table.oid}`;
  return `${named} and (select count(distinct xmin::text) = 1 from (${rows.join(' union all ')}) r (xmin))`;
}

/** Catalogs, and their columns for the oid of the table. */
const TELLING: Readonly<Record<string, string>> = {
  pg_class: 'oid',
  pg_attribute: 'attrelid',
  pg_constraint: 'conrelid',
  pg_description: 'objoid',
  pg_index: 'indrelid',
  pg_policy: 'polrelid',
  pg_publication_rel: 'prrelid',
  pg_rewrite: 'ev_class',
  pg_trigger: 'tgrelid',
};

/** Drops the twins that are left of a table; only who holds the table's lock may call it. */
export async function dropFresh(
  connection: Connection,
  table: Pick<TargetTable, 'oid' | 'schema'>,
): Promise<number> {
  const names = await connection.query(
    `select c.relname as name
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relkind = 'r' and starts_with(c.relname, $2)`,
    [table.schema, freshPrefix(table.oid)],
  );
  for (const row of names) {
    const name = `${quoted(table.schema)}.${quoted(String(row['name']))}`;
    await connection.query(`drop table if exists ${name}`);
  }
  return names.length;
}
