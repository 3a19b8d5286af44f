import { connect, type Connection, type ConnectOptions } from './connect.ts';

const LOOKS_MAX = 100;
const LOOK_MS = 50;

/**
 * Waits until no session of this name but our own is left: a thread that ends closes its socket,
 * and its backend sees that a moment later. Bounded, since somebody else may use the name.
 */
export async function waitForBackends(
  connection: Connection,
  applicationName: string,
  sleep: (ms: number) => Promise<unknown>,
): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const [row] = await connection.query(
      `select exists (select from pg_stat_activity
                       where application_name = $1 and pid <> pg_backend_pid()) as there`,
      [applicationName],
    );
    if (row?.['there'] !== true) return;
    await sleep(LOOK_MS);
  }
}

/**
 * The connection with an ear for the signal while `work` uses it: the statement that goes on when the
 * signal comes is cancelled, by a session of its own, and none is begun afterwards. The connection
 * itself, and the locks that it holds, stay. Rejects with what the cancelled statement says.
 */
export async function cancellable<T>(
  connection: Connection,
  options: ConnectOptions,
  signal: AbortSignal,
  work: (heeding: Connection) => Promise<T>,
): Promise<T> {
  let cancelled: Promise<unknown> = Promise.resolve();
  const cancel = (): void => {
    cancelled = cancelStatement(options, connection.pid).catch(() => undefined);
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', cancel, { once: true });
  const heeding: Connection = {
    ...connection,
    query: (sql, params) => {
      signal.throwIfAborted();
      return connection.query(sql, params);
    },
  };
  try {
    return await work(heeding);
  } finally {
    signal.removeEventListener('abort', cancel);
    // A cancel that came late would hit a statement that tidies up.
    await cancelled;
  }
}

async function cancelStatement(options: ConnectOptions, pid: number): Promise<void> {
  const connection = await connect(options);
  try {
    await connection.query('select pg_cancel_backend($1)', [pid]);
  } finally {
    await connection.end();
  }
}
