import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { defineJob } from '../../src/job/define-job.ts';
import type { jobSchema } from '../../src/job/schema.ts';
import { silentLog } from '../../src/log.ts';
import { plan } from '../../src/plan/plan-job.ts';
import type { Plan } from '../../src/plan/plan-types.ts';
import { createWorkerPool } from '../../src/pool/worker-pool.ts';
import type { RunEvent } from '../../src/run/events.ts';
import type { Report } from '../../src/run/report-types.ts';
import type { RunParts } from '../../src/run/run-context.ts';
import { runWith } from '../../src/run/run.ts';
import { createInProcessPool } from './in-process-pool.ts';

export interface LoadOptions {
  readonly cwd: string;
  readonly force?: boolean;
  /** Files are split into parts of no less than this. */
  readonly partBytesMin?: number;
  /** Loads of no fewer rows may be compared with their table first. */
  readonly comparedRowsMin?: number;
  readonly cores?: number;
  readonly signal?: AbortSignal;
  /** Real threads, or the same sessions on this thread (default). */
  readonly threads?: boolean;
  readonly retryRejects?: boolean;
  readonly onEvent?: (event: RunEvent) => void;
  /** Other surroundings of the run than the usual ones. */
  readonly parts?: Partial<RunParts>;
}

/** Plans and runs a job against a database, as `etl run` does. */
export async function load(
  databaseUrl: string,
  job: z.input<typeof jobSchema>,
  options: LoadOptions,
): Promise<{ plan: Plan; report: Report }> {
  const planned = await planJob(databaseUrl, job, options);
  return { plan: planned, report: await runPlan(databaseUrl, planned, options) };
}

export async function planJob(
  databaseUrl: string,
  job: z.input<typeof jobSchema>,
  { cwd, force = false, partBytesMin, comparedRowsMin, cores }: LoadOptions,
): Promise<Plan> {
  return plan(defineJob(job, cwd), {
    databaseUrl,
    force,
    cwd,
    log: silentLog,
    ...(partBytesMin === undefined ? {} : { partBytesMin }),
    ...(comparedRowsMin === undefined ? {} : { comparedRowsMin }),
    ...(cores === undefined ? {} : { cores }),
  });
}

export async function runPlan(
  databaseUrl: string,
  planned: Plan,
  { signal, threads = false, retryRejects = false, onEvent, parts = {} }: Omit<LoadOptions, 'cwd'>,
): Promise<Report> {
  const handle = runWith(
    planned,
    { databaseUrl, log: silentLog, retryRejects, ...(signal === undefined ? {} : { signal }) },
    {
      createPool: (workers, setup) =>
        threads ? createWorkerPool(workers, setup) : createInProcessPool(workers, setup),
      random: () => 0,
      sleep: (ms, stop) => sleep(ms, undefined, stop === undefined ? {} : { signal: stop }),
      ...parts,
    },
  );
  for await (const event of handle) onEvent?.(event);
  return handle.report;
}
