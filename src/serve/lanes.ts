import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';
import { asTold } from './client-names.ts';
import type { Connections } from './connections.ts';
import { createLane, type Lane } from './lane.ts';
import { loadBatch } from './load-batch.ts';
import type { Metrics } from './metrics.ts';
import type { Register } from './register.ts';
import { failedVerdict, runBatch } from './run-batch.ts';
import type { RunSessions } from './run-sessions.ts';
import type { ServedJob } from './served-jobs.ts';
import { groupByTables } from './shared-tables.ts';
import type { Spool } from './spool.ts';
import type { QueuedFile } from './take-batch.ts';
import type { Throughput } from './throughput.ts';

/** A job, and the database that it loads into. */
export interface ServiceJob extends ServedJob {
  readonly databaseUrl: string;
  readonly embedded: boolean;
}

export interface LanesContext {
  readonly spool: Spool;
  readonly register: Register;
  readonly metrics: Metrics;
  /** Uploads of a job that are received, queued or loading. */
  readonly inside: (job: string) => number;
  readonly connections: Connections;
  readonly sessions: RunSessions;
  /** Of the service, those that runs do not take included. */
  readonly connectionsMax: number;
  readonly speeds: ReadonlyMap<string, Throughput>;
  readonly log: Log;
  readonly stop: AbortSignal;
}

/** By the job's name; jobs that write to a common table share one. */
export function createLanes(
  all: readonly ServiceJob[],
  context: LanesContext,
): ReadonlyMap<string, Lane> {
  const writers = all.map((job) => ({ name: job.name, tables: tablesOf(job), job }));
  const groups = groupByTables(writers);
  return new Map(
    groups.flatMap((group) => {
      const jobs = new Map(group.map(({ job }) => [job.name, job]));
      const lane = createLane({
        load: (batch, workers) => loadQueued(batch, workers, jobs, context),
        workersFor: (name, bytes) => workersFor(jobs.get(name), bytes, context.connectionsMax - 2),
        inside: () => group.reduce((sum, { name }) => sum + context.inside(name), 0),
        connections: context.connections,
        sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
        stop: context.stop,
      });
      return group.map(({ name }): [string, Lane] => [name, lane]);
    }),
  );
}

function tablesOf({ databaseUrl, load }: ServiceJob): string[] {
  const tables = [load.table, ...load.targets.map(({ table }) => table)];
  return tables.map((table) => `${databaseUrl} ${table.toLowerCase()}`);
}

function workersFor(job: ServiceJob | undefined, bytes: number, workersMax: number): number {
  if (bytes <= LIMITS.serveSmallBatchBytesMax) return 1;
  const asked = job?.job.settings.concurrency ?? 'auto';
  const auto = Math.min(LIMITS.serveWorkersMax, Math.max(2, availableParallelism()));
  return Math.max(1, Math.min(asked === 'auto' ? auto : asked, workersMax));
}

async function loadQueued(
  batch: readonly QueuedFile[],
  workers: number,
  jobs: ReadonlyMap<string, ServiceJob>,
  { spool, register, metrics, sessions, speeds, log, stop }: LanesContext,
): Promise<ErrorRecord | null> {
  const uploadOf = new Map(batch.map(({ file, upload }) => [file, upload]));
  const uploads = [...new Set(uploadOf.values())];
  const served = jobs.get(uploads[0]?.job ?? '');
  if (served === undefined) throw new Error('a queue holds uploads of its own jobs only');
  const { name: job, databaseUrl, embedded } = served;
  const settled: Promise<void>[] = [];
  const startedAt = performance.now();
  for (const upload of uploads) {
    upload.delayedBy = null;
    register.started(upload);
  }
  const error = await loadBatch([...uploadOf.keys()], {
    tryRun: (files) =>
      runBatch(files, {
        ...{ served, databaseUrl, embedded, spool, sessions, log, workers },
        uploadsOf: (loaded) => new Set(loaded.map((file) => uploadOf.get(file))).size,
        onProgress: (file) => {
          const upload = uploadOf.get(file);
          if (upload !== undefined) register.progress(upload);
        },
        onReport: (report) => {
          const ms = Date.parse(report.finishedAt) - Date.parse(report.startedAt);
          metrics.run(job, ms / 1000, report);
          const { runId: run, status } = report;
          log.info({ job, run, status, files: files.length, ms }, 'run ended');
        },
      }),
    onVerdict: (file, verdict) => {
      const upload = uploadOf.get(file);
      if (upload !== undefined) settled.push(register.settle(upload, file, verdict));
    },
    named: ({ facts }, files) =>
      files.find(({ base }) => facts.file === base || facts.file === spool.pathOf(base)),
    failed: (failure, file) => failedVerdict(failure, [file], spool),
    signal: stop,
  });
  await Promise.all(settled);
  const left = uploads.filter((upload) => upload.files.some((file) => file.verdict === null));
  const told = error === null ? null : asTold(error, [...uploadOf.keys()], spool.filesFolder);
  for (const upload of left) upload.delayedBy = told;
  if (error !== null) log.warn({ job, uploads: left.length, error: told }, 'uploads are delayed');
  const seconds = (performance.now() - startedAt) / 1000;
  speeds.get(job)?.note(uploads.length - left.length, seconds);
  return error;
}
