import { MessageChannel, type MessagePort, type Transferable } from 'node:worker_threads';
import { connectWorker } from '../../src/pool/connect-worker.ts';
import type { Reply, Request, WorkerSetup } from '../../src/pool/messages.ts';
import { serveSession } from '../../src/pool/serve-session.ts';
import { createSession, type PooledSession } from '../../src/pool/session-calls.ts';
import type { WorkerPool } from '../../src/pool/worker-pool.ts';
import type { Connection } from '../../src/target/connect.ts';

/** Messages that get lost on their way; all arrive by default. */
export interface FaultyMessages {
  readonly drops: (message: Request | Reply, way: MessageWay) => boolean;
  /** Between two checks that none was lost. */
  readonly checkMs: number;
}

export type MessageWay = 'to the worker' | 'to the coordinator';

interface Slot {
  connection: Connection | null;
}

/**
 * The pool without threads: the same sessions over the same message ports, on this thread. Property
 * tests run hundreds of loads, and starting threads would take most of their time.
 */
export function createInProcessPool(
  threads: number,
  setup: WorkerSetup,
  { drops = () => false, checkMs = 5_000 }: Partial<FaultyMessages> = {},
): WorkerPool {
  const faulty = (port: MessagePort, way: MessageWay): MessagePort => {
    const post = port.postMessage.bind(port);
    port.postMessage = (message: unknown, transfer?: unknown) => {
      if (!drops(message as Request | Reply, way)) post(message, transfer as Transferable[]);
    };
    return port;
  };
  const slots: Slot[] = Array.from({ length: threads }, () => ({ connection: null }));
  const free = [...slots];
  const waiting: ((slot: Slot) => void)[] = [];
  const sessions = new Set<PooledSession>();
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
        await serveSession(order, faulty(port2, 'to the coordinator'), async () => {
          const fresh = slot.connection?.usable() !== true;
          slot.connection =
            fresh || slot.connection === null ? await connectWorker(setup) : slot.connection;
          return { connection: slot.connection, fresh };
        });
        give(slot);
      });
      const session = createSession({
        port: faulty(port1, 'to the worker'),
        served: served.then(() => null),
        news,
        onConnected: (_, pid) => backends.add(pid),
        checkMs,
      });
      sessions.add(session);
      void session.ended.then(() => sessions.delete(session));
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
