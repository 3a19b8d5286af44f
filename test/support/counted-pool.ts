import type { WorkerSetup } from '../../src/pool/messages.ts';
import type { WorkerPool } from '../../src/pool/worker-pool.ts';
import { createInProcessPool } from './in-process-pool.ts';

/** A pool on this thread; how often sessions of each kind are opened is counted in `orders`. */
export function countedPool(
  orders: Map<string, number>,
): (workers: number, setup: WorkerSetup) => WorkerPool {
  return (workers, setup) => {
    const pool = createInProcessPool(workers, setup);
    const open: typeof pool.open = (order, news) => {
      orders.set(order.kind, (orders.get(order.kind) ?? 0) + 1);
      return pool.open(order, news);
    };
    return { ...pool, open };
  };
}
