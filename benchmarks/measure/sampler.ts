import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../src/limits.ts';
import { connect } from '../../src/target/connect.ts';
import { BENCHMARK_APPLICATION, benchmarkSession } from './session.ts';

export interface Samples {
  readonly connectionsPeak: number;
  /** One for each session that was seen waiting for a lock, each time it was seen. */
  readonly lockWaits: number;
}

/**
 * Looks at the sessions that the database has since now, on a connection of its own, until it is
 * stopped.
 */
export async function startSampler(databaseUrl: string): Promise<() => Promise<Samples>> {
  const connection = await connect(benchmarkSession(databaseUrl));
  const present = await connection.query('select pid from pg_stat_activity');
  const others = present.map((row) => row['pid']);
  const stop = new AbortController();
  const samples = { connectionsPeak: 0, lockWaits: 0 };
  const sampling = (async () => {
    while (!stop.signal.aborted) {
      const [row] = await connection.query(SESSIONS, [BENCHMARK_APPLICATION, others]);
      samples.connectionsPeak = Math.max(samples.connectionsPeak, Number(row?.['sessions']));
      samples.lockWaits += Number(row?.['waiting']);
      const pause = sleep(LIMITS.benchmarkSampleIntervalMs, undefined, { signal: stop.signal });
      await pause.catch(() => undefined);
    }
  })();
  // Whoever stops it hears of its failure; until then it must not end the process.
  sampling.catch(() => undefined);
  return async () => {
    stop.abort();
    try {
      await sampling;
      return samples;
    } finally {
      await connection.end();
    }
  };
}

const SESSIONS = `
select count(*) as sessions,
       count(*) filter (where wait_event_type = 'Lock') as waiting
  from pg_stat_activity
 where datname = current_database() and backend_type = 'client backend'
   and application_name <> $1 and pid <> all($2)`;
