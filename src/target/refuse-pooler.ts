import { EtlError } from '../errors.ts';
import { connect, type Connection, type ConnectOptions } from './connect.ts';
import { backendsChange } from './detect-pooler.ts';

/** URL of the last database whose sessions were seen to keep their backends. */
let keeps: string | null = null;

/**
 * Refuses a pooler that gives each transaction another backend (`pool_mode = transaction`, as hosted
 * databases offer it on a port of its own): staging, settings and the lock on the table get lost there,
 * and settings reach sessions of others. Without the look a load of two rows through one had neither
 * ended nor failed after two minutes. Where nothing stands in between, which the connection itself
 * tells, it costs nothing; else a second connection and some ten round trips, once for a database.
 *
 * @throws EtlError ETL_CONNECTION
 */
export async function refusePooler(
  connection: Connection,
  options: ConnectOptions,
  sleep: (ms: number) => Promise<unknown>,
): Promise<void> {
  if (!connection.relayed || (keeps !== null && keeps === options.databaseUrl)) return;
  const other = await connect(options).catch(() => null);
  // A pool without a second place; whether it is of sessions the load itself will find.
  if (other === null) return;
  try {
    if (await backendsChange(connection, other, sleep)) throw changingBackends();
    keeps = options.databaseUrl;
  } finally {
    await other.end();
  }
}

function changingBackends(): EtlError {
  return new EtlError(
    'ETL_CONNECTION',
    'A pooler gives each transaction another backend, so staged rows, settings and locks of a session get lost.',
    'Connect to the server itself, or to a port whose pooler keeps sessions (PgBouncer: pool_mode = session).',
  );
}
