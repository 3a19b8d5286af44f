import type { Settings } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';
import type { FilePlan, LoadPlan } from '../plan/plan-types.ts';
import type { InProcessParts } from '../pool/in-process-pool.ts';
import type { WorkerSetup } from '../pool/messages.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';

/** What a pool is to do, as far as it matters for who does it. */
export interface PoolWork {
  readonly rows: number;
  /** Of the files, on disk. */
  readonly bytes: number;
  /** Whether code of the user's own works on the rows, as long as it likes. */
  readonly transformed: boolean;
  /** That one thread can feed. */
  readonly workersPerThread: number;
  readonly threads: Settings['threads'];
}

/**
 * Workers that one thread can feed, by what it does for a row: per second of its CPU it passes on 0.7 GB
 * of CSV or encodes 3 million rows of Parquet, where a backend upserts 30 MB or 0.25 million rows and
 * appends 2.5 million. CSV that is decoded, rewritten, or read for its keys takes two to four times as
 * long as CSV that is only passed on. Of documents of 20 kB it sends two while a backend writes one: 20,000
 * by two workers took 4.6 s of the client's CPU with two threads and 3.4 s with none, and 285 and 193 MB.
 * All else is work on each value.
 */
const WORKERS_FED: Readonly<Record<FilePlan['description']['kind'] | 'plain-csv', number>> = {
  'plain-csv': 16,
  csv: 4,
  parquet: 2,
  json: 1,
  document: 2,
  transformed: 1,
};

export function workOf(
  { files, dropSuperseded, unchanged }: Pick<LoadPlan, 'files' | 'dropSuperseded' | 'unchanged'>,
  { threads }: Pick<Settings, 'threads'>,
): PoolWork {
  const loaded = files.filter(({ skip }) => skip === null);
  const readsRows = dropSuperseded || unchanged !== undefined;
  return {
    rows: loaded.reduce((sum, { estimatedRows }) => sum + estimatedRows, 0),
    bytes: loaded.reduce((sum, { bytes }) => sum + bytes, 0),
    transformed: loaded.some(({ description }) => description.kind === 'transformed'),
    workersPerThread: Math.min(
      WORKERS_FED['plain-csv'],
      ...loaded.map((file) => workersFedBy(file, readsRows)),
    ),
    threads,
  };
}

/** `readsRows`: keys or rows are read out of the bytes before these are sent. */
function workersFedBy({ description, compression }: FilePlan, readsRows: boolean): number {
  const plain = description.kind === 'csv' && description.path === 'bytes';
  return WORKERS_FED[
    plain && compression === 'none' && !readsRows ? 'plain-csv' : description.kind
  ];
}

/**
 * Threads, or the thread that there is: for a load that is small, and for few workers whom one thread
 * feeds. What either needs is imported with the first of its kind. `parts`: of the pool without threads.
 *
 * A thread costs 0.2 s of CPU before it does anything, since it imports all that it may need. CPU
 * seconds of the client with threads and without, CSV: 1.08 and 0.78 for 1,000 rows, 1.16 and 0.99
 * for 20,000, 1.25 and 1.00 for 200,000 in one file, 1.89 and 1.36 in four, by two workers. To stage
 * these 200,000 takes 0.15 s of CSV, 1.2 s of JSON and 1.0 s of Parquet. So up to 50,000 rows, of
 * whatever format, two threads would not have done sooner what one does. Nor do they later, as long as
 * it is the server that is waited for: 1.5 million rows in six files by two workers took 8.1 and 7.5 s
 * of CPU, client and server, with one thread and 7.0 and 6.1 s with none, and less time, too. 800,000 rows
 * in sixteen files by sixteen workers took 1.94 s of the client's CPU with two threads and 1.6 s with none,
 * and 240 and 190 MB, in as much time; by one worker 1.5 s.
 */
export async function choosePool(
  workers: number,
  setup: WorkerSetup,
  work: PoolWork,
  parts?: InProcessParts,
): Promise<WorkerPool> {
  if (needsThreads(workers, work)) {
    const { createWorkerPool } = await import('../pool/worker-pool.ts');
    return createWorkerPool(workers, setup, work.workersPerThread);
  }
  const { createInProcessPool } = await import('../pool/in-process-pool.ts');
  return createInProcessPool(workers, setup, parts);
}

export function needsThreads(workers: number, work: PoolWork): boolean {
  const { rows, bytes, transformed, workersPerThread, threads } = work;
  if (threads !== 'auto') return threads === 'always';
  if (workersPerThread > 1 && workers <= workersPerThread) return false;
  const rowsMax = transformed ? LIMITS.inProcessTransformedRowsMax : LIMITS.inProcessRowsMax;
  return rows > rowsMax || bytes > LIMITS.inProcessBytesMax;
}
