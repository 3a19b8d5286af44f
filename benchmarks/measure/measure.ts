import type { Connection } from '../../src/target/connect.ts';
import { startSampler, type Samples } from './sampler.ts';
import { serverCpuMs } from './server-cpu.ts';

export interface Meter {
  readonly databaseUrl: string;
  /** Idle while something is measured. */
  readonly connection: Connection;
  /** Null where the server is not on this machine. */
  readonly postmaster: number | null;
}

export interface Measured<T> extends Samples {
  readonly result: T;
  readonly wallMs: number;
  readonly serverCpuMs: number | null;
  readonly walBytes: number | null;
}

/** Runs something, and tells what it took of the clock, the server and the log. */
export async function measure<T>(meter: Meter, run: () => Promise<T>): Promise<Measured<T>> {
  const { connection, postmaster } = meter;
  const cpu = async () => (postmaster === null ? null : serverCpuMs(postmaster));
  const stopSampler = await startSampler(meter.databaseUrl);
  try {
    const walBefore = await walPosition(connection);
    const cpuBefore = await cpu();
    const startedAt = performance.now();
    const result = await run();
    const wallMs = performance.now() - startedAt;
    const cpuAfter = await cpu();
    const walBytes = await walSince(connection, walBefore);
    const used = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
    return { result, wallMs, serverCpuMs: used, walBytes, ...(await stopSampler()) };
  } catch (error) {
    await stopSampler().catch(() => undefined);
    throw error;
  }
}

/** Null on a server that does not tell, a managed one for example. */
async function walPosition(connection: Connection): Promise<string | null> {
  const rows = await connection
    .query('select pg_current_wal_insert_lsn()::text as lsn')
    .catch(() => []);
  const lsn = rows[0]?.['lsn'];
  return typeof lsn === 'string' ? lsn : null;
}

async function walSince(connection: Connection, lsn: string | null): Promise<number | null> {
  if (lsn === null) return null;
  const [row] = await connection.query(
    'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::pg_lsn)::text as bytes',
    [lsn],
  );
  return Number(row?.['bytes']);
}
