import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { EtlError, errorRecordOf } from '../errors.ts';
import type { UnitNews } from '../load/unit-task.ts';
import type { Reply, Request, WorkerSetup, WorkOrder } from './messages.ts';

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

export interface WorkerSession {
  /** Calls a method of the session; rejects with an EtlError. */
  call(method: string): Promise<unknown>;
  /** Ends the session and frees the thread; never rejects. */
  close(): Promise<void>;
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
      const session = openSession(piscina, order, news, onConnected);
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

interface Pending {
  resolve(value: unknown): void;
  reject(error: EtlError): void;
}

function openSession(
  piscina: Piscina,
  order: WorkOrder,
  news: (news: UnitNews) => void,
  onConnected: (thread: number, pid: number) => void,
): WorkerSession & { abort(): void; readonly ended: Promise<void> } {
  const { port1: port, port2 } = new MessageChannel();
  const pending = new Map<number, Pending>();
  let calls = 0;
  let lost: EtlError | null = null;
  const settle = (id: number): Pending | undefined => {
    const call = pending.get(id);
    pending.delete(id);
    return call;
  };
  port.on('message', (reply: Reply) => {
    if (reply.kind === 'news') reply.news.forEach(news);
    else if (reply.kind === 'connected') onConnected(reply.thread, reply.pid);
    else if (reply.kind === 'answer') settle(reply.id)?.resolve(reply.value);
    else settle(reply.id)?.reject(EtlError.fromRecord(reply.error));
  });
  const ended = piscina
    .run({ order, port: port2 }, { transferList: [port2] })
    .then(
      () => (lost = lostWorker('its session has ended')),
      (error: unknown) => (lost = lostWorker(errorRecordOf(error).sentence)),
    )
    .then(() => {
      for (const id of [...pending.keys()]) settle(id)?.reject(lost ?? lostWorker('it has ended'));
      port.close();
    });
  const send = (request: Request): void => port.postMessage(request);
  const call = (method: string): Promise<unknown> => {
    if (lost !== null) return Promise.reject(lost);
    const id = ++calls;
    send({ kind: 'call', id, method });
    return new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
  };
  return {
    call,
    abort: () => send({ kind: 'abort' }),
    close: async () => {
      // What still goes on is nobody's concern any more: it is cut short, not waited for.
      if (pending.size > 0) send({ kind: 'abort' });
      await call('close').catch(() => undefined);
      await ended;
    },
    ended,
  };
}

/** A thread that died takes its connection along, so it is told, and retried, like a lost line. */
function lostWorker(why: string): EtlError {
  return new EtlError(
    'ETL_INTERNAL',
    `A worker thread is lost: ${why}.`,
    'The unit of work is rolled back; run again. If it ran out of memory, lower --concurrency.',
    { socket: 'WORKER_LOST' },
  );
}
