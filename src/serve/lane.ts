import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Connections } from './connections.ts';
import { takeBatch, type QueuedFile } from './take-batch.ts';
import type { Upload } from './upload.ts';

/**
 * The queue of the jobs that write to one table (or to tables that one of them writes together), and
 * its one runner: two runs on a table would wait for each other, and the order in which uploads
 * arrived is their order of precedence. What arrives while a run is under way goes into the next one.
 */
export interface Lane {
  add(upload: Upload): void;
  /** Resolves once the runner has ended, after `stop`, the run that is under way included. */
  readonly ended: Promise<void>;
}

export interface LaneParts {
  /** Resolves to what keeps the files that have no verdict then from being loaded, or null. */
  readonly load: (batch: readonly QueuedFile[], workers: number) => Promise<ErrorRecord | null>;
  /** How many workers a batch of so many bytes is worth; from 1. */
  readonly workersFor: (job: string, bytes: number) => number;
  /** Uploads of its jobs that were let in and have not ended: received, queued or loading. */
  readonly inside: () => number;
  readonly connections: Connections;
  /** Resolves early where the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Begins no further run. */
  readonly stop: AbortSignal;
}

export function createLane(parts: LaneParts): Lane {
  const { stop } = parts;
  const queue: QueuedFile[] = [];
  let wake = (): void => undefined;
  const untilWoken = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      if (queue.length > 0 || stop.aborted) resolve();
    });
  stop.addEventListener('abort', () => wake());

  const work = async (): Promise<void> => {
    for (let failures = 0; ;) {
      await untilWoken();
      await gather(queue, parts);
      if (stop.aborted) return;
      const error = await loadNext(queue, parts);
      failures = error === null ? 0 : failures + 1;
      if (error !== null) await parts.sleep(delayMs(failures), stop);
    }
  };
  return {
    add: (upload) => {
      for (const file of upload.files) queue.push({ upload, file });
      wake();
    },
    ended: work(),
  };
}

/**
 * Where more uploads are just being received, they are waited for, some milliseconds at a time and as long as
 * they come. Without it a crowd of small uploads is loaded by twice as many runs: the first that comes when
 * a run has ended gets one of its own, and all others the next.
 */
async function gather(
  queue: readonly QueuedFile[],
  { inside, sleep, stop }: LaneParts,
): Promise<void> {
  for (let looks = 0; looks < LIMITS.serveGatherLooksMax && !stop.aborted; looks++) {
    const queued = queue.length;
    const onTheWay = inside() - new Set(queue.map(({ upload }) => upload)).size;
    if (onTheWay <= 0) return;
    await sleep(LIMITS.serveGatherMs, stop);
    if (queue.length === queued) return;
  }
}

async function loadNext(queue: QueuedFile[], parts: LaneParts): Promise<ErrorRecord | null> {
  const { connections, stop } = parts;
  const first = queue.slice(0, takeBatch(queue));
  const bytes = first.reduce((sum, { file }) => sum + file.bytes, 0);
  const workers = parts.workersFor(first[0]?.upload.job ?? '', bytes);
  await connections.take(workers + 1);
  try {
    if (stop.aborted) return null;
    // More may have come while the connections were waited for.
    const count = takeBatch(queue);
    const batch = queue.slice(0, count);
    // A defect must not end the runner: its uploads wait as others do for better times.
    const error = await parts.load(batch, workers).catch(errorRecordOf);
    queue.splice(0, count, ...batch.filter(({ file }) => file.verdict === null));
    return error;
  } finally {
    connections.give(workers + 1);
  }
}

/** The n-th failure in a row of the surroundings: 1, 2, 4 … 30 s. */
function delayMs(failures: number): number {
  return Math.min(LIMITS.serveRetryMsMax, LIMITS.serveRetryMsMin * 2 ** Math.min(failures - 1, 10));
}
