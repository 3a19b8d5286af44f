import type { Row } from '../../target/connect.ts';
import type { ServerInfo } from '../../target/table.ts';
import { fail, pass, skip, warn, type Check } from './doctor-types.ts';

/** Checks of the server that need no job: from facts to a verdict, without asking anything. */

export function versionCheck(
  { version, versionNumber }: Pick<ServerInfo, 'version' | 'versionNumber'>,
  supported: { readonly min: number; readonly max: number },
): Check {
  const major = Math.floor(versionNumber / 10_000);
  const range = `${supported.min} to ${supported.max}`;
  return major >= supported.min && major <= supported.max
    ? pass('server version', `PostgreSQL ${version}`)
    : fail(
        'server version',
        `PostgreSQL ${version} is not supported; ${range} are.`,
        'Use a server of one of these versions.',
      );
}

export function primaryCheck({ inRecovery }: Pick<ServerInfo, 'inRecovery'>): Check {
  return inRecovery
    ? fail(
        'primary',
        'The server is a standby, which cannot be written.',
        'Connect to the primary.',
      )
    : pass('primary', 'the server can be written');
}

/** Connections that a run leaves free for others, beside its workers. */
const CONNECTIONS_SPARED = 5;

/** `limits`: the row of READ_CONNECTION_LIMITS. */
export function connectionsCheck(server: ServerInfo, limits: Row, concurrency: number): Check {
  const reserved = Number(limits['reserved']) + Number(limits['superuser_reserved']);
  const open = server.maxConnections - (limits['superuser'] === true ? 0 : reserved);
  const frees: [string, number][] = [
    ['max_connections', open - server.connectionsUsed],
    ...limited('the role', limits['role_limit'], limits['role_used']),
    ...limited('the database', limits['database_limit'], limits['database_used']),
  ];
  const [by, free] = frees.reduce((least, each) => (each[1] < least[1] ? each : least));
  const what = `${by} leaves ${free} connections; ${concurrency} ${concurrency === 1 ? 'worker' : 'workers'} and the run take ${concurrency + 1}`;
  const name = 'connections';
  const remedy = 'Lower concurrency, end idle sessions, or raise the limit.';
  if (free < concurrency + 1) return fail(name, `${what}.`, remedy);
  if (free < concurrency + CONNECTIONS_SPARED) {
    return warn(name, `${what}, which leaves next to none for others.`, remedy);
  }
  return pass(name, what);
}

function limited(what: string, limit: unknown, used: unknown): [string, number][] {
  return Number(limit) < 0 ? [] : [[`the limit of ${what}`, Number(limit) - Number(used)]];
}

/** `row`: of READ_TLS. */
export function tlsCheck(row: Row | undefined): Check {
  if (row?.['ssl'] === true) {
    return pass('TLS', `${String(row['version'])}, ${String(row['cipher'])}`);
  }
  if (row?.['same_machine'] === true) return pass('TLS', 'not used, and not needed on one machine');
  return warn(
    'TLS',
    'The connection is not encrypted: who is on the way can read rows and change them.',
    'Add sslmode=verify-full (and sslrootcert) to the database URL.',
  );
}

const LAG_SECONDS_MAX = 60;
const BEHIND_BYTES_MAX = 1_000_000_000;

/** `rows`: of READ_REPLICATION. */
export function replicationCheck(rows: readonly Row[]): Check {
  const name = 'replication';
  const gigabytes = (row: Row): string => `${(Number(row['behind_bytes']) / 1e9).toFixed(1)} GB`;
  const behind = rows.filter((row) => Number(row['behind_bytes'] ?? 0) > BEHIND_BYTES_MAX);
  const slot = behind.find((row) => row['kind'] === 'slot' && row['active'] !== true);
  if (slot !== undefined) {
    return warn(
      name,
      `The slot ${String(slot['name'])}, which nobody reads, holds back ${gigabytes(slot)} of WAL; a load adds to it.`,
      'Let its reader catch up, or drop the slot: select pg_drop_replication_slot(…).',
    );
  }
  const late = rows.find((row) => Number(row['lag_seconds'] ?? 0) > LAG_SECONDS_MAX) ?? behind[0];
  if (late !== undefined) {
    const seconds = Math.round(Number(late['lag_seconds'] ?? 0));
    return warn(
      name,
      `The standby ${String(late['name'])} is ${seconds} s and ${gigabytes(late)} behind; a load adds to it.`,
      'Load when it has caught up, or with less concurrency.',
    );
  }
  const standbys = rows.filter((row) => row['kind'] === 'standby').length;
  return rows.length === 0
    ? skip(name, 'no standby and no slot')
    : pass(name, `${standbys} standbys and ${rows.length - standbys} slots, none far behind`);
}

export function poolerCheck(changes: boolean | null): Check {
  const name = 'pooler';
  if (changes === null) return skip(name, 'a second connection, which it takes, was refused');
  return changes
    ? fail(
        name,
        'A pooler gives each transaction another backend; temporary tables and locks get lost there.',
        'Connect to the server itself, or let the pooler keep sessions (PgBouncer: pool_mode = session).',
      )
    : pass(name, 'a session keeps its backend');
}

/** `rows`: of READ_LEFT_OVERS. */
export function leftOversCheck(rows: readonly Row[]): Check {
  const name = 'left-overs';
  if (rows.length === 0) return pass(name, 'no run that died has left anything');
  const tables = rows.filter((row) => row['kind'] === 'table');
  const prepared = rows.length - tables.length;
  const megabytes = tables.reduce((sum, row) => sum + Number(row['bytes']), 0) / 1e6;
  const held =
    prepared > 0 ? ' Prepared transactions hold locks, and keep vacuum from its work.' : '';
  return warn(
    name,
    `Runs that died have left ${tables.length} staging tables (${megabytes.toFixed(1)} MB) and ${prepared} prepared transactions, ${String(rows[0]?.['name'])} first.${held}`,
    'Run the job again: a run clears away what others have left of its table.',
  );
}

/** Whether partitioned loads, where the job has any, become visible at one moment even in a crash. */
export function preparedCheck(maxPrepared: number, partitionedWorkers: number): Check {
  const name = 'prepared transactions';
  const what = `max_prepared_transactions is ${maxPrepared}`;
  if (partitionedWorkers === 0) return skip(name, `${what}; no load is partitioned`);
  if (maxPrepared >= partitionedWorkers) return pass(name, what);
  return warn(
    name,
    `${what}; a partitioned load by ${partitionedWorkers} workers commits them one after another, and a crash between two leaves a part visible until the next run.`,
    `Set max_prepared_transactions to ${partitionedWorkers} or more, and restart the server.`,
  );
}
