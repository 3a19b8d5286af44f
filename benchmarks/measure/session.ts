import type { ConnectOptions } from '../../src/target/connect.ts';

/** The benchmark's own sessions are named so, and are not counted as a contender's. */
export const BENCHMARK_APPLICATION = 'etl benchmark';

const CONNECT_TIMEOUT_MS = 10_000;

/** Sessions that prepare, watch and check; never one that is measured. */
export function benchmarkSession(databaseUrl: string): ConnectOptions {
  return {
    databaseUrl,
    applicationName: BENCHMARK_APPLICATION,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    session: {
      timezone: 'UTC',
      jit: 'off',
      work_mem: '128MB',
      lock_timeout: '0',
      statement_timeout: '0',
    },
  };
}
