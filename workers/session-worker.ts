import { workerData } from 'node:worker_threads';
import { connectWorker } from '../src/pool/connect-worker.ts';
import type { WorkerSetup, WorkerTask } from '../src/pool/messages.ts';
import { serveSession } from '../src/pool/serve-session.ts';
import { adoptCompiled } from '../src/source/transform/compile-typescript.ts';
import type { Connection } from '../src/target/connect.ts';

/** Piscina hands its own data to a worker as the second of two. */
const setup = (Array.isArray(workerData) ? workerData[1] : workerData) as WorkerSetup;
/** By place: kept from session to session, and made anew where it was lost. */
const held = new Map<number, Connection>();

async function connectionOf(place: number): Promise<{ connection: Connection; fresh: boolean }> {
  const kept = held.get(place);
  if (kept?.usable() === true) return { connection: kept, fresh: false };
  const connection = await connectWorker(setup);
  held.set(place, connection);
  return { connection, fresh: true };
}

/** The door of a worker thread: one session, over the port that came with it. */
export default function work({ order, port, place }: WorkerTask): Promise<void> {
  adoptCompiled(setup.compiled ?? {});
  return serveSession(order, port, () => connectionOf(place));
}
