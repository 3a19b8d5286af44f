import type { MessagePort } from 'node:worker_threads';
import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import { LIMITS } from '../limits.ts';
import type { UnitNews } from '../load/unit-task.ts';
import type { Reply, Request } from './messages.ts';

export interface WorkerSession {
  /** Calls a method of the session; rejects with an EtlError. */
  call(method: string): Promise<unknown>;
  /** Ends the session and frees the thread; never rejects. */
  close(): Promise<void>;
}

export interface PooledSession extends WorkerSession {
  /** Cuts short what the session does. */
  abort(): void;
  /** Once nobody serves it any more. */
  readonly ended: Promise<void>;
}

export interface SessionOptions {
  readonly port: MessagePort;
  /** Settles when whoever serves the other end of the port is through; with why where it broke. */
  readonly served: Promise<string | null>;
  readonly news: (news: UnitNews) => void;
  readonly onConnected: (pid: number) => void;
  /** Between two checks that no message was lost. */
  readonly checkMs?: number;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: EtlError): void;
}

/**
 * The coordinator's end of a session. Messages come in their order, or not at all: one that cannot be
 * read on the other side is dropped there. So while a call is pending the other end is asked now and
 * then what it is at; a call that it neither works on nor has answered before that was lost, one way
 * or the other, and so is the session.
 */
export function createSession(options: SessionOptions): PooledSession {
  const { port, served, news, onConnected, checkMs = LIMITS.sessionCheckMs } = options;
  const pending = new Map<number, Pending>();
  let calls = 0;
  let lost: EtlError | null = null;
  const settle = (id: number): Pending | undefined => {
    const call = pending.get(id);
    pending.delete(id);
    return call;
  };
  const lose = (why: string): void => {
    lost ??= lostWorker(why);
    clearInterval(checking);
    for (const id of [...pending.keys()]) settle(id)?.reject(lost);
    port.close();
  };
  const send = (request: Request): void => port.postMessage(request);
  const checking = setInterval(() => {
    if (pending.size > 0) send({ kind: 'check', calls });
  }, checkMs);
  checking.unref();

  port.on('message', (reply: Reply) => {
    if (reply.kind === 'news') reply.news.forEach(news);
    else if (reply.kind === 'connected') onConnected(reply.pid);
    else if (reply.kind === 'answer') settle(reply.id)?.resolve(reply.value);
    else if (reply.kind === 'failure') settle(reply.id)?.reject(EtlError.fromRecord(reply.error));
    else {
      const at = new Set(reply.underWay);
      const missing = [...pending.keys()].some((id) => id <= reply.calls && !at.has(id));
      if (missing) lose('a message between threads was lost');
    }
  });
  const ended = served.then((why) => lose(why ?? 'its session has ended'));
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

/** A thread that died takes its connection along, so it is told, and retried, like a lost connection. */
function lostWorker(why: string): EtlError {
  return new EtlError(
    'ETL_INTERNAL',
    `A worker thread is lost: ${why}.`,
    remedy`The unit of work is rolled back; run again. If it ran out of memory, lower ${setting('settings.concurrency')}.`,
    { socket: 'WORKER_LOST' },
  );
}
