import pg from 'pg';
import { backendWorks, endBackend, type Backend } from './probe-backend.ts';
import { watchConnection, type ConnectionWatch } from './watch-connection.ts';

/** The socket below a client; a TLS socket has the same. */
export interface ClientSocket {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  destroy(error?: Error): void;
}

export function socketOf(client: pg.Client): ClientSocket {
  return (client as unknown as { connection: { stream: ClientSocket } }).connection.stream;
}

export interface LookAfterOptions {
  /** Of the connection that is looked after, so that another one comes to the same server. */
  readonly config: pg.ClientConfig;
  readonly backend: Backend;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** A silent connection is given up as timed out, and its backend, if it is still there, is ended. */
export function lookAfter(client: pg.Client, options: LookAfterOptions): ConnectionWatch {
  const socket = socketOf(client);
  const { backend, idleTimeoutMs } = options;
  return watchConnection({
    idleTimeoutMs,
    traffic: () => socket.bytesRead + socket.bytesWritten,
    works: () => byAnotherConnection(options, (other) => backendWorks(other, backend), false),
    giveUp: () => {
      const silent = `the connection was silent for more than ${idleTimeoutMs} ms, and the server does not work on it`;
      socket.destroy(timedOut(silent));
      void byAnotherConnection(options, (other) => endBackend(other, backend), undefined);
    },
  });
}

/** An error as the system throws it when TCP itself gives up. */
export function timedOut(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}

/** Bounded by the time for connecting, since that connection may be silent, too. */
async function byAnotherConnection<T>(
  { config, connectTimeoutMs }: LookAfterOptions,
  ask: (other: pg.Client) => Promise<T>,
  unreachable: T,
): Promise<T | true> {
  const other = new pg.Client(config);
  other.on('error', () => undefined);
  const timer = setTimeout(() => socketOf(other).destroy(timedOut('silent')), connectTimeoutMs);
  try {
    await other.connect();
    return await ask(other);
  } catch (error) {
    return refusedByServer(error) ? true : unreachable;
  } finally {
    clearTimeout(timer);
    void other.end().catch(() => undefined);
    setTimeout(() => socketOf(other).destroy(), connectTimeoutMs).unref();
  }
}

/**
 * It is up, and only takes no more connections: then nothing is known of the one that is silent. One
 * that starts or recovers (57P03) has lost it.
 */
function refusedByServer(error: unknown): boolean {
  const { code = '' } = error as { readonly code?: string };
  return /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') && code !== '57P03';
}
