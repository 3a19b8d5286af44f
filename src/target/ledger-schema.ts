import { errorRecordOf, EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { remedy, setting } from '../remedy.ts';
import type { Connection } from './connect.ts';
import { literal, quoted, readable } from './names.ts';

/** Numbered migrations of the ledger's schema; each runs once, in its own transaction. */
function migrations(schema: string): readonly string[] {
  const s = quoted(schema);
  return [
    `create table ${s}.run (
       run_id text primary key,
       plan_id text not null,
       tables oid[] not null,
       host text not null,
       pid integer not null,
       started_at timestamptz not null default clock_timestamp(),
       finished_at timestamptz,
       status text not null default 'running',
       error text
     );
     comment on table ${s}.run is 'Runs of parallel-upsert, one row each.';
     create table ${s}.ledger (
       id bigint generated always as identity primary key,
       run_id text not null,
       plan_id text not null,
       table_oid oid not null,
       table_name text not null,
       path text not null,
       ordinal integer not null,
       bytes bigint not null,
       mtime_ms double precision not null,
       content_hash text not null,
       fingerprint text not null,
       strategy text not null,
       rows_read bigint not null,
       inserted bigint,
       updated bigint,
       unchanged bigint,
       superseded bigint,
       rejected bigint,
       loaded_at timestamptz not null default clock_timestamp()
     );
     comment on table ${s}.ledger is
       'Files loaded by parallel-upsert: each row was written in the transaction of its merge.';
     create index ledger_path on ${s}.ledger (table_oid, path, id desc);
     -- A commit believed lost may still land: then the retry must not load the file once more.
     create unique index ledger_once on ${s}.ledger (run_id, table_oid, path);`,

    `create table ${s}.load (
       run_id text not null,
       ordinal integer not null,
       table_name text not null,
       strategy text not null,
       concurrency integer not null,
       files_loaded integer not null,
       files_skipped integer not null,
       files_failed integer not null,
       files_not_loaded integer not null,
       rows_read bigint not null,
       inserted bigint not null,
       updated bigint not null,
       unchanged bigint not null,
       superseded bigint not null,
       rejected bigint not null,
       duration_ms bigint not null,
       primary key (run_id, ordinal)
     );
     comment on table ${s}.load is 'Loads of the runs, one row each, written when a load ends.';
     create table ${s}.file (
       run_id text not null,
       load integer not null,
       ordinal integer not null,
       path text not null,
       status text not null,
       attempts integer not null,
       stage_ms bigint,
       wait_ms bigint,
       merge_ms bigint,
       error_code text,
       error text,
       primary key (run_id, load, ordinal)
     );
     comment on table ${s}.file is 'Durations and errors of the files that the loads tried.';`,

    `create table ${s}.reject (
       run_id text not null,
       table_oid oid not null,
       path text not null,
       rejects_path text not null,
       began text not null,
       records int8multirange not null,
       corrected int8multirange not null default '{}',
       primary key (run_id, table_oid, path)
     );
     comment on table ${s}.reject is
       'Rows of a file that were rejected, by number; of files that the ledger has of the same run.';
     create table ${s}.corrected (
       run_id text not null,
       table_oid oid not null,
       path text not null,
       record bigint not null,
       fields jsonb not null,
       primary key (run_id, table_oid, path, record)
     );
     comment on table ${s}.corrected is
       'Rejected rows that were loaded once they were corrected, as they were loaded.';`,

    `create unlogged table if not exists ${s}.survivor (ledger_id bigint primary key);
     comment on table ${s}.survivor is
       'Rows of the ledger about unlogged tables. A crash of the server empties it as it does them.';
     insert into ${s}.survivor
       select l.id from ${s}.ledger l
         join pg_catalog.pg_class c on c.oid = l.table_oid and c.relpersistence = 'u'
       on conflict do nothing;`,

    `alter table ${s}.ledger add column if not exists ctime_ms double precision,
       add column if not exists real_path text;
     create index if not exists ledger_real_path on ${s}.ledger (table_oid, real_path, id desc)
       where real_path is not null;`,
  ];
}

/** The first version of the ledger that has a place for `ctimeMs` and `realPath`; see ledger.ts. */
export const ORIGINS_VERSION = 5;

/**
 * What loading itself needs. Later versions hold what `etl history` shows, as tables of their own, or
 * can wait: a change to `ledger` has to wait for the prepared transactions that a run which died may
 * have left on it, and these are ended only by a run that has got past this migration.
 */
const VERSION_NEEDED = 1;

/**
 * Creates what is missing, and resolves to the version that the ledger has then. Two runs that start at
 * once wait for each other on an advisory lock. A role that may load, but not create tables in the
 * ledger's schema, goes on with an older ledger; so does a run that finds it locked.
 */
export async function migrateLedger(connection: Connection, schema: string): Promise<number> {
  const all = migrations(schema);
  const applied = await ledgerVersion(connection, schema);
  // A new ledger is made at once; in one that others may be using, no version undoes the one before.
  let reached = applied;
  while (reached < all.length) {
    const to = applied === 0 ? all.length : reached + 1;
    if (!(await migrateTo(connection, schema, all.slice(0, to), applied))) break;
    reached = to;
  }
  return reached;
}

async function migrateTo(
  connection: Connection,
  schema: string,
  all: readonly string[],
  applied: number,
): Promise<boolean> {
  await connection.query('begin');
  try {
    if (applied >= VERSION_NEEDED) {
      await connection.query(`set local lock_timeout = ${LIMITS.ledgerLockMs}`);
    }
    await connection.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [
      `parallel-upsert ledger ${schema}`,
    ]);
    await createSchema(connection, schema);
    await connection.query(
      `create table if not exists ${quoted(schema)}.migration (
         version integer primary key,
         applied_at timestamptz not null default clock_timestamp()
       )`,
    );
    for (
      let version = (await ledgerVersion(connection, schema)) + 1;
      version <= all.length;
      version++
    ) {
      await connection.query(all[version - 1] ?? '');
      await connection.query(`insert into ${quoted(schema)}.migration (version) values ($1)`, [
        version,
      ]);
    }
    await connection.query('commit');
    return true;
  } catch (error) {
    await connection.query('rollback').catch(() => undefined);
    const { sqlState = '' } = errorRecordOf(error).facts;
    if (!CAN_WAIT.has(sqlState) || applied < VERSION_NEEDED) throw error;
    return false;
  }
}

/** insufficient_privilege and lock_not_available. */
const CAN_WAIT: ReadonlySet<string> = new Set(['42501', '55P03']);

/**
 * `if not exists` demands the right to create a schema even where it exists already, and a role that
 * only loads may well lack that.
 */
async function createSchema(connection: Connection, schema: string): Promise<void> {
  const [name, shown] = [quoted(schema), readable(schema)];
  const [row] = await connection.query(
    'select to_regnamespace($1) is not null as there, quote_ident(current_user) as role',
    [name],
  );
  if (row?.['there'] === true) return;
  try {
    await connection.query(`create schema ${name}`);
  } catch (error) {
    const { facts } = errorRecordOf(error);
    if (facts.sqlState !== '42501') throw error;
    const role = String(row?.['role']);
    throw new EtlError(
      'ETL_PRIVILEGE',
      `The ledger needs the schema ${shown}, and ${role} may not create it.`,
      remedy`Let who owns the database run: create schema ${shown} authorization ${role}; or name a schema of your own with ${setting('settings.ledgerSchema')}.`,
      facts,
      { cause: error },
    );
  }
}

/** 0 where nothing is there yet. */
export async function ledgerVersion(connection: Connection, schema: string): Promise<number> {
  if (!(await ledgerExists(connection, schema, 'migration'))) return 0;
  const [row] = await connection.query(
    `select coalesce(max(version), 0) as version from ${quoted(schema)}.migration`,
  );
  return Number(row?.['version']);
}

/** What the ledger has a place for; null where there is none. */
export async function ledgerForm(
  connection: Connection,
  schema: string,
): Promise<{ readonly origins?: true } | null> {
  const [row] = await connection.query(
    `select exists (select from pg_catalog.pg_attribute
                     where attrelid = l.oid and attname = 'real_path' and not attisdropped) as origins
       from to_regclass(${literal(`${quoted(schema)}.ledger`)}) l (oid) where l.oid is not null`,
  );
  if (row === undefined) return null;
  return row['origins'] === true ? { origins: true } : {};
}

export async function ledgerExists(
  connection: Connection,
  schema: string,
  table: 'migration' | 'ledger' | 'reject' | 'survivor',
): Promise<boolean> {
  const name = literal(`${quoted(schema)}.${quoted(table)}`);
  const [row] = await connection.query(`select to_regclass(${name}) is not null as there`);
  return row?.['there'] === true;
}
