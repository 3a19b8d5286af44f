import type { Connection, Row } from './connect.ts';
import { ledgerExists, ledgerForm } from './ledger-schema.ts';
import { parseTableName, quoted } from './names.ts';

/** A table as the ledger knows it. */
export interface KnownTable {
  readonly oid: number;
  /** `schema.name`, as the ledger has it last. */
  readonly name: string;
  /** The run that loaded into it last. */
  readonly lastRun: string;
  /** Of the files that were loaded last. */
  readonly latestPaths: readonly string[];
  /** Whether the database has it still, under whatever name. */
  readonly there: boolean;
  /** The oid of another table that has its name now. */
  readonly namesake: number | null;
}

/** What is written of a file, and whether it is still of use. */
export interface OldEntry {
  readonly id: number;
  readonly runId: string;
  readonly tableOid: number;
  readonly fingerprint: string;
  readonly path: string;
  /** Whether a later entry says all that this one says. */
  readonly replaced: boolean;
}

/** The moment so many days before now, as the server's clock has it: ISO 8601, UTC. */
export async function momentBefore(connection: Connection, days: number): Promise<string> {
  const [row] = await connection.query('select now() - make_interval(days => $1) as moment', [
    days,
  ]);
  return (row?.['moment'] as Date).toISOString();
}

/** All tables of the ledger, each with the paths of its latest files. */
export async function knownTables(
  connection: Connection,
  schema: string,
  pathsMax: number,
): Promise<readonly KnownTable[]> {
  const rows = await connection.query(
    `select t.oid::int8::float8 as oid, (array_agg(t.table_name order by t.place))[1] as name,
            (array_agg(t.run_id order by t.place))[1] as last_run,
            array_agg(t.path order by t.place) as paths,
            exists (select from pg_catalog.pg_class c where c.oid = t.oid) as there
       from (select table_oid as oid, table_name, run_id, path,
                    row_number() over (partition by table_oid order by id desc) as place
               from ${quoted(schema)}.ledger) t
      where t.place <= $1 group by t.oid order by t.oid`,
    [pathsMax],
  );
  const namesakes = await oidsOf(
    connection,
    rows.map((row) => String(row['name'])),
  );
  return rows.map((row, place) => ({
    oid: Number(row['oid']),
    name: String(row['name']),
    lastRun: String(row['last_run']),
    latestPaths: row['paths'] as readonly string[],
    there: row['there'] === true,
    namesake: row['there'] === true ? null : (namesakes[place] ?? null),
  }));
}

/** Not by to_regclass, which refuses a name in a schema that the role may not use. */
async function oidsOf(
  connection: Connection,
  names: readonly string[],
): Promise<readonly (number | null)[]> {
  const parts = names.map(parseTableName);
  const rows = await connection.query(
    `select (select c.oid from pg_catalog.pg_class c
               join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              where n.nspname = t.schema and c.relname = t.name)::int8::float8 as oid
       from unnest($1::text[], $2::text[]) with ordinality as t (schema, name, place)
      order by t.place`,
    [parts.map((name) => name?.schema ?? null), parts.map((name) => name?.name ?? null)],
  );
  return rows.map((row) => (row['oid'] === null ? null : Number(row['oid'])));
}

/** From the first to behind the last id of what was written before the moment; null where nothing was. */
export async function oldSpan(
  connection: Connection,
  schema: string,
  before: string,
): Promise<{ readonly from: number; readonly to: number } | null> {
  const [row] = await connection.query(
    `select min(id)::float8 as first, max(id)::float8 as last from ${quoted(schema)}.ledger
      where loaded_at < $1`,
    [before],
  );
  const first = row?.['first'];
  return typeof first === 'number' ? { from: first, to: Number(row?.['last']) + 1 } : null;
}

/**
 * The entries of these tables that were written before the moment, of a range of ids. One is replaced
 * where a later one is of the same file of the same table, and means the same: whoever asks for the
 * latest is told that one. So is one of a table that was dropped, where the table that has its name now
 * has loaded the file again.
 *
 * Left out is what the last run loaded into its table, and what a run loaded of which a prepared
 * transaction is left: whether to commit that, the ledger is asked.
 */
export async function oldEntries(
  connection: Connection,
  schema: string,
  tables: readonly KnownTable[],
  of: { readonly before: string; readonly from: number; readonly to: number },
): Promise<readonly OldEntry[]> {
  const form = await ledgerForm(connection, schema);
  const ledger = `${quoted(schema)}.ledger`;
  const samePlace =
    form?.origins === true ? ' and n.real_path is not distinct from l.real_path' : '';
  const rows = await connection.query(
    `select l.id::float8 as id, l.run_id, l.table_oid::int8::float8 as table_oid, l.fingerprint, l.path,
            exists (select from ${ledger} n
                     where n.table_oid = l.table_oid and n.path = l.path and n.id > l.id
                       and n.fingerprint = l.fingerprint${samePlace})
            or exists (select from ${ledger} n
                        where n.table_oid = t.namesake::oid and n.path = l.path and n.id > l.id) as replaced
       from ${ledger} l
       join json_to_recordset($1) as t (oid int8, last_run text, namesake int8)
         on t.oid::oid = l.table_oid
      where l.id >= $2 and l.id < $3 and l.loaded_at < $4 and l.run_id <> t.last_run
        and l.run_id <> all (array(select split_part(gid, ':', 3) from pg_catalog.pg_prepared_xacts
                                    where starts_with(gid, 'etl:')))
      order by l.id`,
    [
      JSON.stringify(
        tables.map(({ oid, lastRun, namesake }) => ({ oid, last_run: lastRun, namesake })),
      ),
      of.from,
      of.to,
      of.before,
    ],
  );
  return rows.map((row) => ({
    id: Number(row['id']),
    runId: String(row['run_id']),
    tableOid: Number(row['table_oid']),
    fingerprint: String(row['fingerprint']),
    path: String(row['path']),
    replaced: row['replaced'] === true,
  }));
}

/** Deletes entries, and what is kept of the rows of their files that were rejected. */
export async function forgetEntries(
  connection: Connection,
  schema: string,
  ids: readonly number[],
): Promise<void> {
  const s = quoted(schema);
  const ofFile = (table: string): string =>
    `${table} as (delete from ${s}.${table} x using forgotten f
       where x.run_id = f.run_id and x.table_oid = f.table_oid and x.path = f.path)`;
  const rejects = await ledgerExists(connection, schema, 'reject');
  const survivor = await ledgerExists(connection, schema, 'survivor');
  const parts = [
    `forgotten as (delete from ${s}.ledger where id = any ($1::int8[]) returning run_id, table_oid, path)`,
    ...(rejects ? [ofFile('reject'), ofFile('corrected')] : []),
    ...(survivor
      ? [`survived as (delete from ${s}.survivor where ledger_id = any ($1::int8[]))`]
      : []),
  ];
  await connection.query(`with ${parts.join(', ')} select`, [[...ids]]);
}

export interface OldRun {
  readonly runId: string;
  /** Files that it loaded, as the ledger has them. */
  readonly entries: number;
}

/** Runs that began before the moment, and are not at work. */
export async function oldRuns(
  connection: Connection,
  schema: string,
  before: string,
): Promise<readonly OldRun[]> {
  const s = quoted(schema);
  const rows: readonly Row[] = await connection.query(
    `select r.run_id, (select count(*) from ${s}.ledger l where l.run_id = r.run_id)::float8 as entries
       from ${s}.run r
      where r.started_at < $1
        and not exists (select from pg_catalog.pg_stat_activity a
                         where a.application_name = 'etl ' || r.run_id)`,
    [before],
  );
  return rows.map((row) => ({ runId: String(row['run_id']), entries: Number(row['entries']) }));
}

/**
 * Deletes how long the files of old runs took and what became of them, and of those that nothing is left of
 * the runs themselves. `told`: whether the ledger is of a version that has more than the runs.
 */
export async function forgetRuns(
  connection: Connection,
  schema: string,
  old: readonly string[],
  empty: readonly string[],
  told: boolean,
): Promise<void> {
  const s = quoted(schema);
  if (told) {
    await connection.query(`delete from ${s}.file where run_id = any ($1::text[])`, [[...old]]);
    await connection.query(`delete from ${s}.load where run_id = any ($1::text[])`, [[...empty]]);
  }
  await connection.query(`delete from ${s}.run where run_id = any ($1::text[])`, [[...empty]]);
}
