import type { Settings } from '../job/schema.ts';
import { connect, type Connection } from '../target/connect.ts';
import { sessionSettings } from '../target/session.ts';

/** A session that can change nothing but its own temporary tables, ended after `use`. */
export async function withReader<T>(
  options: {
    readonly databaseUrl: string;
    readonly settings: Settings;
    readonly signal?: AbortSignal;
  },
  applicationName: string,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { databaseUrl, settings, signal } = options;
  const connection = await connect({
    databaseUrl,
    applicationName,
    connectTimeoutMs: settings.connectTimeoutMs,
    idleTimeoutMs: settings.idleTimeoutMs,
    session: { ...sessionSettings(settings), default_transaction_read_only: 'on' },
  });
  const cut = (): void => connection.destroy();
  signal?.addEventListener('abort', cut);
  try {
    signal?.throwIfAborted();
    return await use(connection);
  } finally {
    signal?.removeEventListener('abort', cut);
    await connection.end();
  }
}
