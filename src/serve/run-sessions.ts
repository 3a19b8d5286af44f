import { LIMITS } from '../limits.ts';
import { connectWorker } from '../pool/connect-worker.ts';
import { choosePool, needsThreads } from '../run/choose-pool.ts';
import type { RunParts } from '../run/run-context.ts';
import type { Connection, ConnectOptions } from '../target/connect.ts';
import { createKeptSessions } from '../target/kept-sessions.ts';

/**
 * Sessions of the database that go from run to run: who plans, who coordinates and who loads need one
 * each, and to open them costs the client and the server 5 ms of CPU apiece, of the 50 that a small
 * upload takes.
 */
export interface RunSessions {
  readonly connect: (options: ConnectOptions) => Promise<Connection>;
  readonly createPool: RunParts['createPool'];
  /** They are kept for the next run, but not long, and not after one that failed. */
  runEnded(failed: boolean): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param databaseUrls of all jobs; where they name more than one database, nothing is kept
 * @param sessionsMax that all runs together may have open, threads' own included
 */
export function createRunSessions(
  databaseUrls: readonly string[],
  sessionsMax: number,
): RunSessions {
  const sessions = createKeptSessions(new Set(databaseUrls).size > 1 ? 0 : sessionsMax);
  let leaving: NodeJS.Timeout | undefined;
  return {
    connect: sessions.lend,
    createPool: async (workers, setup, work) => {
      if (!needsThreads(workers, work)) {
        const connect = (worker: typeof setup) => connectWorker(worker, sessions.lend);
        return choosePool(workers, setup, work, { connect });
      }
      const free = await sessions.reserve(workers);
      try {
        const pool = await choosePool(workers, setup, work);
        return { ...pool, destroy: () => pool.destroy().finally(free) };
      } catch (error) {
        free();
        throw error;
      }
    },
    runEnded: async (failed) => {
      clearTimeout(leaving);
      if (failed) await sessions.endIdle();
      leaving = setTimeout(() => void sessions.endIdle(), LIMITS.serveSessionKeptMs);
      leaving.unref();
    },
    close: async () => {
      clearTimeout(leaving);
      await sessions.close();
    },
  };
}
