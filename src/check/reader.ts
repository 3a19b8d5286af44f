import type { Settings } from '../job/schema.ts';
import { connect, type Connection } from '../target/connect.ts';
import { sessionSettings } from '../target/session.ts';
import { withConnection } from '../target/with-connection.ts';

export interface SessionOptions {
  readonly databaseUrl: string;
  readonly settings: Settings;
  readonly signal?: AbortSignal;
}

/** A session that can change nothing but its own temporary tables, ended after `use`. */
export async function withReader<T>(
  options: SessionOptions,
  applicationName: string,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  return withSession(options, applicationName, { default_transaction_read_only: 'on' }, use);
}

/** One that may write. */
export async function withWriter<T>(
  options: SessionOptions,
  applicationName: string,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  return withSession(options, applicationName, {}, use);
}

async function withSession<T>(
  { databaseUrl, settings, signal }: SessionOptions,
  applicationName: string,
  more: Readonly<Record<string, string>>,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect({
    databaseUrl,
    applicationName,
    connectTimeoutMs: settings.connectTimeoutMs,
    idleTimeoutMs: settings.idleTimeoutMs,
    session: { ...sessionSettings(settings), ...more },
  });
  return withConnection(connection, signal, async () => {
    signal?.throwIfAborted();
    return use(connection);
  });
}
