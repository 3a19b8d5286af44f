import { errorRecordOf, EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { remedy, setting } from '../remedy.ts';
import type { Connection } from './connect.ts';
import { migrations } from './ledger-migrations.ts';
import { literal, quoted, readable } from './names.ts';

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
  const name = literal(`${quoted(schema)}.${table}`);
  const [row] = await connection.query(`select to_regclass(${name}) is not null as there`);
  return row?.['there'] === true;
}
