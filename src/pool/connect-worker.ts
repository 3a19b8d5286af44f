import { goToWork } from '../target/at-work.ts';
import { connect, type Connection } from '../target/connect.ts';
import type { WorkerSetup } from './messages.ts';

/** A worker's connection, which says from the first on which table it works. */
export async function connectWorker(setup: WorkerSetup): Promise<Connection> {
  const connection = await connect(setup);
  try {
    await goToWork(connection, setup.tableOid);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
