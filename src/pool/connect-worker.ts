import { goToWork } from '../target/at-work.ts';
import { connect, type Connection, type ConnectOptions } from '../target/connect.ts';
import type { WorkerSetup } from './messages.ts';

/** A worker's connection, which says from the first on which tables it works. */
export async function connectWorker(
  setup: WorkerSetup,
  open: (options: ConnectOptions) => Promise<Connection> = connect,
): Promise<Connection> {
  const connection = await open(setup);
  try {
    for (const oid of [setup.tableOid, ...(setup.furtherOids ?? [])]) {
      await goToWork(connection, oid);
    }
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
