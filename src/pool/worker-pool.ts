import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { errorRecordOf } from '../errors.ts';
import type { UnitNews } from '../load/unit-task.ts';
import type { WorkerSetup, WorkOrder } from './messages.ts';
import { createSession, type WorkerSession } from './session-calls.ts';

export type { WorkerSession } from './session-calls.ts';

/** The only room that knows piscina. One task of the pool is one session on one worker thread. */
export interface WorkerPool {
  /** Opens a session; the calls wait for a free thread where there is none. */
  open(order: WorkOrder, news: (news: UnitNews) => void): WorkerSession;
  /** Cuts short what all sessions do: their calls reject. */
  abort(): void;
  /** Process ids of the backends that the workers connected, past ones included. */
  readonly backends: ReadonlySet<number>;
  /** Threads that hold or held a connection. */
  connections(): number;
  destroy(): Promise<void>;
}

export function createWorkerPool(threads: number, setup: WorkerSetup): WorkerPool {
  const source = import.meta.url.endsWith('.ts');
  const piscina = new Piscina({
    filename: new URL(`../../workers/session-worker.${source ? 'ts' : 'js'}`, import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    workerData: setup,
    // Node itself does not read TypeScript in version 20, so a checkout runs its workers by tsx.
    ...(source ? { execArgv: ['--import', 'tsx'] } : {}),
  });
  const sessions = new Set<{ abort(): void }>();
  const backends = new Set<number>();
  const connected = new Set<number>();
  const onConnected = (thread: number, pid: number): void => {
    connected.add(thread);
    backends.add(pid);
  };
  return {
    open: (order, news) => {
      const { port1: port, port2 } = new MessageChannel();
      const served = piscina
        .run({ order, port: port2 }, { transferList: [port2] })
        .then(() => null)
        .catch((error: unknown) => errorRecordOf(error).sentence);
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
    destroy: () => piscina.destroy(),
  };
}
