import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import type { Connection } from './connect.ts';
import { quoted } from './names.ts';

/** `etl` as a number: the first half of the advisory lock on a table; its oid is the second. */
const LOCK_CLASS = 0x65746c;

/** An advisory lock has two signed numbers; an oid, the second parameter, is an unsigned one. */
export const OID_AS_INTEGER =
  '($2::int8 - case when $2::int8 > 2147483647 then 4294967296 else 0 end)::int4';

export interface RunRecord {
  readonly runId: string;
  readonly planId: string;
  readonly host: string;
  readonly pid: number;
}

export async function startRun(
  connection: Connection,
  schema: string,
  run: RunRecord,
): Promise<void> {
  await connection.query(
    `insert into ${quoted(schema)}.run (run_id, plan_id, tables, host, pid)
     values ($1, $2, '{}', $3, $4)`,
    [run.runId, run.planId, run.host, run.pid],
  );
}

export async function finishRun(
  connection: Connection,
  schema: string,
  runId: string,
  status: string,
  error: string | null,
): Promise<void> {
  await connection.query(
    `update ${quoted(schema)}.run
        set finished_at = clock_timestamp(), status = $2, error = $3 where run_id = $1`,
    [runId, status, error],
  );
}

/**
 * Two runs on one table exclude each other by an advisory lock that this connection holds until it
 * unlocks or ends, so a crash frees it. Throws ETL_LOCKED, which says who holds the table.
 */
export async function lockTable(
  connection: Connection,
  schema: string,
  runId: string,
  table: { readonly oid: number; readonly sqlName: string },
): Promise<void> {
  const [row] = await connection.query(
    `with lock as (select pg_try_advisory_lock($1, ${OID_AS_INTEGER}) as locked),
          noted as (update ${quoted(schema)}.run set tables = tables || $2::int8::oid
                     where run_id = $3 and (select locked from lock))
     select locked from lock`,
    [LOCK_CLASS, table.oid, runId],
  );
  if (row?.['locked'] !== true) throw await lockedError(connection, schema, table);
}

/** Oids of the tables that runs held, by the id of the run; the ledger is known to be there. */
export async function tablesOfRuns(
  connection: Connection,
  schema: string,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const rows = await connection.query(
    `select run_id, array_to_json(tables) as tables from ${quoted(schema)}.run
      where run_id = any ($1::text[])`,
    [[...runIds]],
  );
  return new Map(
    rows.map((row) => [String(row['run_id']), (row['tables'] as unknown[]).map(Number)]),
  );
}

export async function unlockTables(connection: Connection): Promise<void> {
  await connection.query('select pg_advisory_unlock_all()');
}

async function lockedError(
  connection: Connection,
  schema: string,
  table: { readonly oid: number; readonly sqlName: string },
): Promise<EtlError> {
  const [holder] = await connection.query(
    `select run_id, host, pid, started_at from ${quoted(schema)}.run
      where status = 'running' and $1::oid = any (tables) order by started_at desc limit 1`,
    [table.oid],
  );
  const who =
    holder === undefined
      ? 'another run'
      : `run ${String(holder['run_id'])} on ${String(holder['host'])} (process ${String(holder['pid'])}), ` +
        `started ${(holder['started_at'] as Date).toISOString()}`;
  return new EtlError(
    'ETL_LOCKED',
    `${table.sqlName} is being loaded by ${who}.`,
    remedy`Wait until it has ended (${setting('settings.wait', 600)} does, up to ten minutes), or stop it.`,
    { table: table.sqlName },
  );
}
