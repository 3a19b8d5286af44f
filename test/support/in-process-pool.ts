import { MessageChannel } from 'node:worker_threads';
import { EtlError } from '../../src/errors.ts';
import type { Reply, Request, WorkerSetup } from '../../src/pool/messages.ts';
import { serveSession } from '../../src/pool/serve-session.ts';
import type { WorkerPool, WorkerSession } from '../../src/pool/worker-pool.ts';
import { connect, type Connection } from '../../src/target/connect.ts';

interface Slot {
  connection: Connection | null;
}

/**
 * The pool without threads: the same sessions over the same message ports, on this thread. Property
 * tests run hundreds of loads, and starting threads would take most of their time.
 */
export function createInProcessPool(threads: number, setup: WorkerSetup): WorkerPool {
  const slots: Slot[] = Array.from({ length: threads }, () => ({ connection: null }));
  const free = [...slots];
  const waiting: ((slot: Slot) => void)[] = [];
  const sessions = new Set<WorkerSession & { abort(): void }>();
  const backends = new Set<number>();
  const take = (): Promise<Slot> => {
    const slot = free.shift();
    return slot === undefined
      ? new Promise((resolve) => waiting.push(resolve))
      : Promise.resolve(slot);
  };
  const give = (slot: Slot): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(slot);
    else next(slot);
  };
  return {
    open: (order, news) => {
      const { port1, port2 } = new MessageChannel();
      const served = take().then(async (slot) => {
        await serveSession(order, port2, async () => {
          const fresh = slot.connection?.usable() !== true;
          slot.connection =
            fresh || slot.connection === null ? await connect(setup) : slot.connection;
          backends.add(slot.connection.pid);
          return { connection: slot.connection, fresh };
        });
        give(slot);
      });
      const pending = new Map<number, { resolve(v: unknown): void; reject(e: EtlError): void }>();
      let calls = 0;
      port1.on('message', (reply: Reply) => {
        if (reply.kind === 'news') reply.news.forEach(news);
        else if (reply.kind === 'answer') pending.get(reply.id)?.resolve(reply.value);
        else if (reply.kind === 'failure') {
          pending.get(reply.id)?.reject(EtlError.fromRecord(reply.error));
        }
        if (reply.kind === 'answer' || reply.kind === 'failure') pending.delete(reply.id);
      });
      const send = (request: Request): void => port1.postMessage(request);
      const call = (method: string): Promise<unknown> =>
        new Promise((resolve, reject) => {
          const id = ++calls;
          pending.set(id, { resolve, reject });
          send({ kind: 'call', id, method });
        });
      const session = {
        call,
        abort: () => send({ kind: 'abort' }),
        close: async () => {
          if (pending.size > 0) send({ kind: 'abort' });
          await call('close');
          await served;
          port1.close();
          sessions.delete(session);
        },
      };
      sessions.add(session);
      return session;
    },
    abort: () => {
      for (const session of sessions) session.abort();
    },
    backends,
    connections: () => slots.filter((slot) => slot.connection !== null).length,
    destroy: async () => {
      for (const slot of slots) await slot.connection?.end();
    },
  };
}
