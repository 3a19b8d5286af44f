import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { errorRecordOf } from '../errors.ts';
import type { Connection } from '../target/connect.ts';
import { connectWorker } from './connect-worker.ts';
import type { WorkerSetup } from './messages.ts';
import { createPlaces } from './places.ts';
import { serveSession } from './serve-session.ts';
import { createSession, type PooledSession } from './session-calls.ts';
import type { WorkerPool } from './worker-pool.ts';

/** The surroundings of the pool, passed in so that others can put their own in their place. */
export interface InProcessParts {
  /** A worker's connection; a new one by default. */
  readonly connect?: (setup: WorkerSetup) => Promise<Connection>;
  /** Each end of a session's channel, as it is to be used. */
  readonly portOf?: (port: MessagePort, end: 'coordinator' | 'worker') => MessagePort;
  /** Between two checks that no message was lost. */
  readonly checkMs?: number;
}

/** A worker's one connection. */
interface Slot {
  connection: Connection | null;
}

/**
 * The pool without threads: the same sessions over the same messages, on the thread of the
 * coordinator, with as many connections as the other pool has. Whatever a session does in one go (a
 * block of a file is scanned) is short, so that events and interrupts pass in between.
 */
export function createInProcessPool(
  workers: number,
  setup: WorkerSetup,
  { connect = connectWorker, portOf, checkMs }: InProcessParts = {},
): WorkerPool {
  const places = createPlaces<Slot>(workers, () => ({ connection: null }));
  const sessions = new Set<PooledSession>();
  const backends = new Set<number>();

  /** Kept from session to session, and opened again where it was lost. */
  const connectionOf = async (slot: Slot): Promise<{ connection: Connection; fresh: boolean }> => {
    const fresh = slot.connection?.usable() !== true;
    const connection = fresh || slot.connection === null ? await connect(setup) : slot.connection;
    slot.connection = connection;
    return { connection, fresh };
  };

  return {
    open: (order, news) => {
      const { port1, port2 } = new MessageChannel();
      const [own, other] =
        portOf === undefined
          ? [port1, port2]
          : [portOf(port1, 'coordinator'), portOf(port2, 'worker')];
      const served = places.take().then(async (place) => {
        try {
          await serveSession(order, other, () => connectionOf(place.kept));
          return null;
        } catch (error) {
          return errorRecordOf(error).sentence;
        } finally {
          places.give(place);
        }
      });
      const session = createSession({
        port: own,
        served,
        news,
        onConnected: (pid) => backends.add(pid),
        ...(checkMs === undefined ? {} : { checkMs }),
      });
      sessions.add(session);
      void session.ended.then(() => sessions.delete(session));
      return session;
    },
    abort: () => {
      for (const session of sessions) session.abort();
    },
    backends,
    connections: () => places.all.filter(({ kept }) => kept.connection !== null).length,
    destroy: async () => {
      const idle = places.all.filter((place) => !places.isBusy(place));
      // A thread that ends takes along what it has not ended; so does a connection that is cut.
      for (const place of places.all) if (places.isBusy(place)) place.kept.connection?.destroy();
      await Promise.all(idle.map(async ({ kept }) => kept.connection?.end()));
    },
  };
}
