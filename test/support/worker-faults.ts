import { existsSync } from 'node:fs';

/** How a worker thread dies. `heap`: it runs out of the memory that it may have. */
export type WorkerDeath = 'throws' | 'exits' | 'heap';

export interface WorkerFault {
  readonly how: WorkerDeath;
  /** While it serves this call of a session. */
  readonly at: 'stage' | 'exportKeys' | 'merge' | 'copy';
  /** A file that does not exist: the first thread that dies makes it, and none dies after it. Null: all do. */
  readonly marker: string | null;
}

/** Every thread's heap has so many megabytes, so that it is soon full. */
const HEAP_MB = 96;

/** The environment of a process whose workers die so. */
export function faultyWorkers(fault: WorkerFault): Record<string, string> {
  const preload = `data:text/javascript,${encodeURIComponent(sourceOf(fault))}`;
  return { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB} --import=${preload}` };
}

export function hasStruck({ marker }: WorkerFault): boolean {
  return marker === null || existsSync(marker);
}

/** Node loads it into every thread before all else; it listens in where sessions hear their calls. */
function sourceOf({ how, at, marker }: WorkerFault): string {
  return `
    import { closeSync, openSync } from 'node:fs';
    import { isMainThread, MessagePort } from 'node:worker_threads';
    const { on } = MessagePort.prototype;
    const marker = ${JSON.stringify(marker)};
    const die = {
      throws: () => { throw new Error('a defect in the worker'); },
      exits: () => process.exit(7),
      heap: () => { const kept = []; for (;;) kept.push(new Array(100000).fill({})); },
    };
    const strike = () => {
      try {
        if (marker !== null) closeSync(openSync(marker, 'wx'));
      } catch {
        return;
      }
      die.${how}();
    };
    if (!isMainThread) MessagePort.prototype.on = function (event, listener) {
      if (event !== 'message') return on.call(this, event, listener);
      return on.call(this, event, (message) => {
        listener(message);
        if (message?.kind === 'call' && message.method === '${at}') setTimeout(strike, 2);
      });
    };`;
}
