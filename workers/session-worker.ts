import { type MessagePort, workerData } from 'node:worker_threads';
import { connectWorker } from '../src/pool/connect-worker.ts';
import type { WorkerSetup, WorkOrder } from '../src/pool/messages.ts';
import { serveSession } from '../src/pool/serve-session.ts';
import type { Connection } from '../src/target/connect.ts';

/** Piscina hands its own data to a worker as the second of two. */
const setup = (Array.isArray(workerData) ? workerData[1] : workerData) as WorkerSetup;
let held: Connection | null = null;

/** The thread's one connection, kept from session to session and made anew where it was lost. */
async function connection(): Promise<{ connection: Connection; fresh: boolean }> {
  if (held?.usable() === true) return { connection: held, fresh: false };
  held = await connectWorker(setup);
  return { connection: held, fresh: true };
}

/** The door of a worker thread: one session, over the port that came with it. */
export default function work(task: { order: WorkOrder; port: MessagePort }): Promise<void> {
  return serveSession(task.order, task.port, connection);
}
