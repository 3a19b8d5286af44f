import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Connection } from './connect.ts';
import { OID_AS_INTEGER } from './run-record.ts';

/** `etm`, next to the class of the lock on a table: who holds it in share is at work on the table. */
const WORK_CLASS = 0x65746d;

/**
 * Says that this session writes to the table, for as long as the session lasts. The lock on the table
 * is the coordinator's, and goes with it; but a COMMIT that a worker had sent before both were
 * killed still takes place, as late as its disk or its standby lets it.
 */
export async function goToWork(connection: Connection, tableOid: number): Promise<void> {
  await connection.query(`select pg_advisory_lock_shared($1, ${OID_AS_INTEGER})`, [
    WORK_CLASS,
    tableOid,
  ]);
}

/**
 * Waits until no session of an earlier run is at work on the table: what it commits late would be
 * loaded twice, since the ledger does not know of it yet. Only who holds the table's lock may call
 * it. It asks again and again, since a statement that waits would not hear of an interrupt.
 *
 * @throws EtlError ETL_LOCKED where one outlasts LIMITS.orphanWaitMs
 */
export async function waitForEarlierWork(
  connection: Connection,
  table: { readonly oid: number; readonly sqlName: string },
  sleep: (ms: number) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for (let waitedMs = 0; !signal.aborted; waitedMs += LIMITS.orphanLookMs) {
    // Asked for and given back in one statement: nobody else waits for it meanwhile.
    const [row] = await connection.query(
      `select case when pg_try_advisory_lock($1, ${OID_AS_INTEGER})
                   then pg_advisory_unlock($1, ${OID_AS_INTEGER}) else false end as quiet`,
      [WORK_CLASS, table.oid],
    );
    if (row?.['quiet'] === true) return;
    if (waitedMs >= LIMITS.orphanWaitMs) throw await stillAtWork(connection, table);
    await sleep(LIMITS.orphanLookMs);
  }
}

async function stillAtWork(
  connection: Connection,
  table: { readonly oid: number; readonly sqlName: string },
): Promise<EtlError> {
  const [row] = await connection.query(
    `select string_agg(pid::text, ', ' order by pid) as pids from pg_catalog.pg_locks
      where locktype = 'advisory' and classid = $1::int8::oid and objid = $2::int8::oid
        and database = (select oid from pg_catalog.pg_database where datname = current_database())`,
    [WORK_CLASS, table.oid],
  );
  return new EtlError(
    'ETL_LOCKED',
    `A run that has ended left sessions at work on ${table.sqlName} (process ${String(row?.['pids'])}).`,
    'Wait until they end, or end them by pg_terminate_backend; then run again.',
    { table: table.sqlName },
  );
}
