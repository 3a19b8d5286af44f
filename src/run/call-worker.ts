import type { UnitNews } from '../load/unit-task.ts';
import type { WorkOrder } from '../pool/messages.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';

/** Opens a session for one call, and closes it however the call ends. `T` is what the method resolves to. */
export async function callWorker<T>(
  pool: WorkerPool,
  order: WorkOrder,
  method: string,
  onNews: (news: UnitNews) => void = () => undefined,
): Promise<T> {
  const session = pool.open(order, onNews);
  try {
    return (await session.call(method)) as T;
  } finally {
    await session.close();
  }
}
