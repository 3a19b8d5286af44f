import type { ErrorRecord } from '../errors.ts';
import { EtlError } from '../errors.ts';
import type { Job } from '../job/schema.ts';
import type { Log } from '../log.ts';
import { planWith } from '../plan/plan-job.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import { NO_COUNTS } from '../target/known-counts.ts';
import type { RunHandle } from '../run/run.ts';
import { RUN_PARTS, runWith } from '../run/run.ts';
import type { FileReport, LoadReport, Report } from '../run/report-types.ts';
import { blameOf } from './blame.ts';
import { asTold } from './client-names.ts';
import { jsonFor } from './describe-upload.ts';
import { knownFiles } from './known-files.ts';
import type { RunEnd } from './load-batch.ts';
import type { RunSessions } from './run-sessions.ts';
import type { ServedJob } from './served-jobs.ts';
import type { Spool } from './spool.ts';
import type { BatchReport, FileVerdict, UploadFile } from './upload.ts';

export interface RunBatchContext {
  readonly served: ServedJob;
  readonly databaseUrl: string;
  readonly embedded: boolean;
  readonly spool: Spool;
  readonly sessions: RunSessions;
  readonly log: Log;
  readonly workers: number;
  /** Uploads that the files are of. */
  readonly uploadsOf: (files: readonly UploadFile[]) => number;
  readonly onProgress: (file: UploadFile) => void;
  readonly onReport: (report: Report) => void;
}

/**
 * Plans and runs the load of some files of one job and one layout. A new plan is made for each
 * run: it reads the catalog, and the ledger, which knows by the path of a spool file whether an
 * earlier run, of a process that died, has loaded it.
 */
export async function runBatch(
  files: readonly UploadFile[],
  context: RunBatchContext,
): Promise<RunEnd> {
  let failed = true;
  try {
    const end = await planAndRun(files, context);
    failed = end.error !== null;
    return end;
  } finally {
    await context.sessions.runEnded(failed);
  }
}

async function planAndRun(files: readonly UploadFile[], context: RunBatchContext): Promise<RunEnd> {
  const { databaseUrl, embedded, spool, sessions, log } = context;
  const cwd = spool.filesFolder;
  const asked = { databaseUrl, embedded, cwd, log };
  const source = knownFiles(files, spool.pathOf);
  const { connect, createPool } = sessions;
  const planned = await planWith(jobFor(files, context), asked, { source, connect });
  const [load] = planned.loads;
  if (load === undefined) throw new Error('the plan of a served job has no load');
  const fileAt = new Map(files.map((file) => [spool.pathOf(file.base), file]));
  const before = loadedBefore(load, fileAt);
  if (before.size > 0) return { verdicts: before, error: null };
  // Together they would be given a table that fits them all; alone, the first decides.
  if (load.table.create !== null && files.length > 1) {
    return { verdicts: new Map(), error: null, before: 1 };
  }
  const handle = runWith(planned, { databaseUrl, log }, { ...RUN_PARTS, connect, createPool });
  const [report] = await Promise.all([handle.report, follow(handle, load, fileAt, context)]);
  context.onReport(report);
  return endOf(report, fileAt, context);
}

/** Keys of many small files are not sampled; and one worker takes them in order, and proves nothing. */
function jobFor(files: readonly UploadFile[], { served, spool, workers }: RunBatchContext): Job {
  const { job, load } = served;
  const sequential = load.strategy === 'auto' && workers === 1;
  const { conflictDetection } = job.settings;
  return {
    ...job,
    settings: {
      ...job.settings,
      concurrency: workers,
      conflictDetection: conflictDetection && files.length === 1 && !sequential,
      wait: 0,
    },
    loads: [
      {
        ...load,
        files: files.map((file) => spool.pathOf(file.base)),
        order: 'listed',
        strategy: sequential ? 'sequential' : load.strategy,
        json: jsonFor(load.json, files[0]?.bare === true),
      },
    ],
  };
}

/**
 * What the ledger has of the files. Their paths are never used twice, so an entry is theirs, even if
 * the job means something else by a file since.
 */
function loadedBefore(
  load: LoadPlan,
  fileAt: ReadonlyMap<string, UploadFile>,
): Map<UploadFile, FileVerdict> {
  const verdicts = new Map<UploadFile, FileVerdict>();
  for (const { path, skip, earlierRun } of load.files) {
    const file = fileAt.get(path);
    const runId = skip?.runId ?? earlierRun;
    if (file === undefined || runId === undefined) continue;
    const counts = { ...NO_COUNTS, rowsRead: skip?.rows ?? null };
    verdicts.set(file, {
      ...{ status: 'loaded', run: runId, counts, rejects: null, error: null, batch: null },
    });
  }
  return verdicts;
}

async function follow(
  handle: RunHandle,
  load: LoadPlan,
  fileAt: ReadonlyMap<string, UploadFile>,
  { onProgress }: RunBatchContext,
): Promise<void> {
  for await (const event of handle) {
    if (event.kind !== 'file-progress' && event.kind !== 'file-staged') continue;
    const file = fileAt.get(load.files[event.file]?.path ?? '');
    if (file === undefined) continue;
    file.rowsStaged = event.rows;
    onProgress(file);
  }
}

function endOf(
  report: Report,
  fileAt: ReadonlyMap<string, UploadFile>,
  { uploadsOf, spool }: RunBatchContext,
): RunEnd {
  const verdicts = new Map<UploadFile, FileVerdict>();
  const [load] = report.loads;
  let moment: ErrorRecord | null = null;
  const tried = (load?.files ?? []).flatMap((told): [UploadFile, FileReport][] => {
    const file = fileAt.get(told.path);
    return file === undefined ? [] : [[file, told]];
  });
  const loaded = tried.filter(([, { status }]) => status === 'loaded').map(([file]) => file);
  const batch = load === undefined ? null : batchOf(report, load, loaded, uploadsOf(loaded));
  for (const [file, told] of tried) {
    const { error, status } = told;
    if (status === 'loaded') verdicts.set(file, loadedVerdict(file, told, batch));
    if (status !== 'failed' || error === null) continue;
    if (blameOf(error) === 'moment') moment ??= error;
    else verdicts.set(file, failedVerdict(error, [file], spool, report.runId));
  }
  const error = moment ?? (verdicts.size > 0 ? null : (report.error ?? nothingDone().record));
  return { verdicts, error };
}

function nothingDone(): EtlError {
  return new EtlError(
    'ETL_INTERNAL',
    'A run loaded nothing, and did not say why.',
    'Please report it.',
  );
}

function batchOf(
  { runId }: Report,
  load: LoadReport,
  loaded: readonly UploadFile[],
  uploads: number,
): BatchReport {
  const { totals, targets, lookups } = load;
  return {
    ...{ run: runId, uploads, files: loaded.length, totals },
    ...(targets === undefined ? {} : { targets }),
    ...(lookups === undefined ? {} : { lookups }),
  };
}

function loadedVerdict(file: UploadFile, told: FileReport, batch: BatchReport | null): FileVerdict {
  const { inserted, updated, unchanged, superseded, rejected, rejects } = told;
  const rowsRead = told.rowsRead ?? file.rowsStaged;
  const counts = { rowsRead, inserted, updated, unchanged, superseded, rejected };
  return { status: 'loaded', run: batch?.run ?? null, counts, rejects, error: null, batch };
}

/** `files`: those whose names the error may hold. */
export function failedVerdict(
  error: ErrorRecord,
  files: readonly UploadFile[],
  spool: Pick<Spool, 'filesFolder'>,
  runId: string | null = null,
): FileVerdict {
  const told = asTold(error, files, spool.filesFolder);
  const status = 'failed';
  return { status, run: runId, counts: NO_COUNTS, rejects: null, error: told, batch: null };
}
