import { createInProcessPool } from '../../src/pool/in-process-pool.ts';
import type { WorkerSetup } from '../../src/pool/messages.ts';
import type { WorkerPool } from '../../src/pool/worker-pool.ts';
import { connectWorker } from '../../src/pool/connect-worker.ts';

/** A pool on this thread; what its sessions ask of the server is added to `statements`. */
export function watchedPool(
  statements: string[],
): (workers: number, setup: WorkerSetup) => WorkerPool {
  return (workers, setup) =>
    createInProcessPool(workers, setup, {
      connect: async (own) => {
        const connection = await connectWorker(own);
        return {
          ...connection,
          query: (sql, values) => {
            statements.push(sql);
            return connection.query(sql, values);
          },
          execute: (sql, values) => {
            statements.push(sql);
            return connection.execute(sql, values);
          },
          copyIn: (sql, chunks, how) => {
            statements.push(sql);
            return connection.copyIn(sql, chunks, how);
          },
        };
      },
    });
}
