import { availableParallelism } from 'node:os';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { doorOf } from '../doors.ts';
import { errorRecordOf } from '../errors.ts';
import type { UnitNews } from '../load/unit-task.ts';
import { compiledModules } from '../source/transform/compile-typescript.ts';
import type { WorkerSetup, WorkerTask, WorkOrder } from './messages.ts';
import { createPlaces } from './places.ts';
import { createSession, type PooledSession, type WorkerSession } from './session-calls.ts';

export type { WorkerSession } from './session-calls.ts';

/** The only room that knows piscina. One task of the pool is one session on one worker thread. */
export interface WorkerPool {
  /** Opens a session; the calls wait for a free place where there is none. */
  open(order: WorkOrder, news: (news: UnitNews) => void): WorkerSession;
  /** Cuts short what all sessions do: their calls reject. */
  abort(): void;
  /** Process ids of the backends that the workers connected, past ones included. */
  readonly backends: ReadonlySet<number>;
  /** Places that hold or held a connection. */
  connections(): number;
  destroy(): Promise<void>;
}

/**
 * A worker is a place for one session with one connection. Threads are no more than processors: what
 * a session does is mostly waiting for the server, so one thread serves several; a thread of its own
 * would cost each worker 0.25 s of CPU, sixteen of them more than the load of 800,000 rows.
 *
 * @param workersPerThread that one thread is to serve where the processors allow it
 */
export function createWorkerPool(
  workers: number,
  setup: WorkerSetup,
  workersPerThread = 1,
): WorkerPool {
  const threads = Math.min(Math.ceil(workers / workersPerThread), availableParallelism());
  const pools = Array.from({ length: threads }, () => createThread(setup, workers));
  const places = createPlaces(workers, (index) => ({ index, pool: pools[index % threads] }));
  const sessions = new Set<PooledSession>();
  const backends = new Set<number>();
  const connected = new Set<number>();
  return {
    open: (order, news) => {
      const { port1: port, port2 } = new MessageChannel();
      let place = -1;
      const served = places.take().then(async (taken) => {
        place = taken.kept.index;
        const task: WorkerTask = { order, port: port2, place };
        try {
          await taken.kept.pool?.run(task, { transferList: [port2] });
          return null;
        } catch (error) {
          return errorRecordOf(error).sentence;
        } finally {
          places.give(taken);
        }
      });
      const onConnected = (pid: number): void => {
        connected.add(place);
        backends.add(pid);
      };
      const session = createSession({ port, served, news, onConnected });
      sessions.add(session);
      void session.ended.then(() => sessions.delete(session));
      return session;
    },
    abort: () => {
      for (const session of sessions) session.abort();
    },
    backends,
    connections: () => connected.size,
    destroy: async () => {
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

/** A pool of one thread, so that a place with its connection stays where it is. */
function createThread(setup: WorkerSetup, sessionsMax: number): Piscina {
  const { url, execArgv } = doorOf('workers/session-worker');
  return new Piscina({
    filename: url.href,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: sessionsMax,
    workerData: { ...setup, compiled: compiledModules() } satisfies WorkerSetup,
    ...(execArgv.length > 0 ? { execArgv: [...execArgv] } : {}),
  });
}
