import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedStatus } from '../../embedded/embedded.ts';
import { errorRecordOf } from '../../errors.ts';
import type { Job } from '../../job/schema.ts';
import type { Log } from '../../log.ts';
import { plan } from '../../plan/plan-job.ts';
import { SERVER_MAX, SERVER_MIN } from '../../plan/plan.ts';
import type { Plan } from '../../plan/plan-types.ts';
import { connect, type Connection } from '../../target/connect.ts';
import { backendsChange } from '../../target/detect-pooler.ts';
import { serverMemoryBytes } from '../../target/machine-memory.ts';
import { readable } from '../../target/names.ts';
import { readServer } from '../../target/read-server.ts';
import { readServerDefaults } from '../../target/server-defaults.ts';
import { chooseSession, sessionSettings, valuesOf } from '../../target/session.ts';
import {
  READ_CONNECTION_LIMITS,
  READ_DATA_DIRECTORY,
  READ_DATABASE_PRIVILEGES,
  READ_LEFT_OVERS,
  READ_REPLICATION,
  READ_TLS,
} from '../../target/sql/read-server-facts.ts';
import type { ServerInfo } from '../../target/table.ts';
import { withConnection } from '../../target/with-connection.ts';
import { withReader } from '../reader.ts';
import { couplingCheck, jobCheck, jobFailure } from './job-checks.ts';
import { fail, pass, type Check, type DoctorReport } from './doctor-types.ts';
import { ledgerPrivilegeCheck, stagingPrivilegeCheck } from './privilege-checks.ts';
import { diskCheck, embeddedCheck, memoryCheck, rowBytes } from './room-checks.ts';
import {
  connectionsCheck,
  leftOversCheck,
  poolerCheck,
  preparedCheck,
  primaryCheck,
  replicationCheck,
  tlsCheck,
  versionCheck,
} from './server-checks.ts';
import { tableChecks } from './table-checks.ts';

export interface DoctorOptions {
  /** A postgres:// URL. */
  readonly databaseUrl: string;
  /** Null where another server than the embedded one is used. */
  readonly embedded: EmbeddedStatus | null;
  readonly cwd: string;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

/**
 * A checklist of what a load needs. Without loads it is about the server alone. Changes nothing. A
 * server that cannot be reached is a finding; a connection that is lost between two checks is an error.
 */
export async function doctor(job: Job, options: DoctorOptions): Promise<DoctorReport> {
  const request = { ...options, settings: job.settings };
  const made = await withReader(request, 'etl doctor', (connection) =>
    Promise.allSettled([allChecks(connection, job, options)]),
  ).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    return connectionFailed(error);
  });
  if ('checks' in made) return made;
  const [checks] = made;
  if (checks.status === 'rejected') throw checks.reason;
  return reportOf(checks.value);
}

/** The report where there is no server to ask. */
export function connectionFailed(error: unknown): DoctorReport {
  const { sentence, remedy } = errorRecordOf(error);
  return reportOf([fail('connection', sentence, remedy)]);
}

function reportOf(checks: readonly Check[]): DoctorReport {
  return { version: 1, ok: checks.every((check) => check.state !== 'fail'), checks };
}

async function allChecks(
  connection: Connection,
  job: Job,
  options: DoctorOptions,
): Promise<Check[]> {
  const server = await readServer(connection);
  const planned = job.loads.length === 0 ? null : await tryPlan(job, options);
  const plannedLoads = planned !== null && 'loads' in planned ? planned : null;
  const loads = plannedLoads?.loads ?? [];
  const concurrency = Math.max(askedConcurrency(job), ...loads.map((load) => load.concurrency));
  const partitioned = loads.filter((load) => load.strategy === 'partitioned');
  const schema = job.settings.ledgerSchema;
  const one = async (sql: string, params?: readonly unknown[]) =>
    (await connection.query(sql, params))[0] ?? {};
  const privileges = await one(READ_DATABASE_PRIVILEGES, [schema]);
  return [
    pass('connection', `${server.database} at ${server.address}, as ${server.user}`),
    versionCheck(server, { min: SERVER_MIN, max: SERVER_MAX }),
    primaryCheck(server),
    connectionsCheck(server, await one(READ_CONNECTION_LIMITS), concurrency),
    poolerCheck(await looksPooled(connection, job, options)),
    tlsCheck(await one(READ_TLS)),
    replicationCheck(server.inRecovery ? [] : await connection.query(READ_REPLICATION)),
    memoryCheck(await memoryFacts(connection, job, server, plannedLoads, concurrency, options)),
    diskCheck(await freeBytes(connection, server, options), rowBytes(loads)),
    embeddedCheck(options.embedded),
    stagingPrivilegeCheck(privileges),
    ledgerPrivilegeCheck(privileges, readable(schema)),
    leftOversCheck(await connection.query(READ_LEFT_OVERS, [schema])),
    preparedCheck(
      server.maxPreparedTransactions,
      Math.max(0, ...partitioned.map((load) => load.concurrency)),
    ),
    ...(await tableChecks(connection, job.loads)),
    ...(planned === null ? [] : 'loads' in planned ? [jobCheck(planned.loads)] : [planned]),
    ...loads.map(couplingCheck),
  ];
}

function askedConcurrency({ settings }: Job): number {
  const { concurrency } = settings;
  return concurrency === 'auto' ? Math.min(8, Math.max(2, availableParallelism())) : concurrency;
}

/** The plan as the next run would make it, or the check that says why there is none. */
async function tryPlan(job: Job, options: DoctorOptions): Promise<Plan | Check> {
  try {
    return await plan(job, { ...options, embedded: options.embedded !== null });
  } catch (error) {
    options.signal?.throwIfAborted();
    return jobFailure(errorRecordOf(error));
  }
}

async function looksPooled(
  connection: Connection,
  job: Job,
  { databaseUrl, signal }: DoctorOptions,
): Promise<boolean | null> {
  const other = await connect({
    databaseUrl,
    applicationName: 'etl doctor',
    connectTimeoutMs: job.settings.connectTimeoutMs,
    session: sessionSettings(job.settings),
  }).catch(() => null);
  if (other === null) return null;
  return withConnection(other, signal, () => backendsChange(connection, other, sleep));
}

async function memoryFacts(
  connection: Connection,
  job: Job,
  server: ServerInfo,
  planned: Plan | null,
  concurrency: number,
  { embedded }: DoctorOptions,
): Promise<Parameters<typeof memoryCheck>[0]> {
  const defaults = await readServerDefaults(connection);
  const machineBytes = serverMemoryBytes({ ...server, embedded: embedded !== null });
  const facts = { server: defaults, memoryBytes: machineBytes, concurrency };
  const chosen = valuesOf(planned?.session ?? chooseSession(job.settings, facts))['work_mem'];
  // The server reads the value, whatever its unit.
  if (chosen !== undefined) {
    await connection.query(`select set_config('work_mem', $1, false)`, [chosen]);
  }
  const [row] = await connection.query(
    `select setting::float8 * 1024 as bytes from pg_catalog.pg_settings where name = 'work_mem'`,
  );
  const workMemBytes = chosen === undefined ? defaults.workMemBytes : Number(row?.['bytes']);
  return {
    workMemBytes,
    sharedBuffersBytes: defaults.sharedBuffersBytes,
    concurrency,
    machineBytes,
  };
}

/** Of the file system that holds the server's data, where that is one of this machine's. */
async function freeBytes(
  connection: Connection,
  server: ServerInfo,
  { embedded }: DoctorOptions,
): Promise<number | null> {
  if (embedded === null && !server.address.startsWith('socket ')) return null;
  const [row] = await connection.query(READ_DATA_DIRECTORY);
  const folder = embedded?.dataDir ?? row?.['folder'];
  if (typeof folder !== 'string') return null;
  const found = await statfs(folder).catch(() => null);
  return found === null ? null : found.bavail * found.bsize;
}
