import type { MessagePort, Transferable } from 'node:worker_threads';
import { createInProcessPool as createPool } from '../../src/pool/in-process-pool.ts';
import type { Reply, Request, WorkerSetup } from '../../src/pool/messages.ts';
import type { WorkerPool } from '../../src/pool/worker-pool.ts';

/** Messages that get lost on their way; all arrive by default. */
export interface FaultyMessages {
  readonly drops: (message: Request | Reply, way: MessageWay) => boolean;
  /** Between two checks that none was lost. */
  readonly checkMs: number;
}

export type MessageWay = 'to the worker' | 'to the coordinator';

/**
 * The pool without threads, some of whose messages get lost. Property tests run hundreds of loads,
 * and starting threads would take most of their time.
 */
export function createInProcessPool(
  threads: number,
  setup: WorkerSetup,
  { drops = () => false, checkMs = 5_000 }: Partial<FaultyMessages> = {},
): WorkerPool {
  const faulty = (port: MessagePort, way: MessageWay): MessagePort => {
    const post = port.postMessage.bind(port);
    port.postMessage = (message: unknown, transfer?: unknown) => {
      if (!drops(message as Request | Reply, way)) post(message, transfer as Transferable[]);
    };
    return port;
  };
  return createPool(threads, setup, {
    portOf: (port, end) => faulty(port, end === 'worker' ? 'to the coordinator' : 'to the worker'),
    checkMs,
  });
}
