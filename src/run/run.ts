import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorRecordOf, EtlError, exitCodeOf, EXIT, type ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';
import type { LoadPlan, Plan } from '../plan/plan-types.ts';
import { connect, type Connection } from '../target/connect.ts';
import { migrateLedger } from '../target/ledger-schema.ts';
import { finishRun, startRun } from '../target/run-record.ts';
import { fixedSession, flushingSession, valuesOf } from '../target/session.ts';
import { waitForBackends } from '../target/backends.ts';
import { choosePool } from './choose-pool.ts';
import { buildSkippedIndexes } from './build-indexes.ts';
import { withFewDocuments } from './document-report.ts';
import { createEventStream } from './event-stream.ts';
import type { RunEvent } from './events.ts';
import type { LoadEnd } from './load-end.ts';
import { notLoaded } from './load-report.ts';
import { predictionOf } from './prediction.ts';
import { recordLoad } from './record-load.ts';
import { runLoad } from './run-load.ts';
import { retimeFiles } from './retime-files.ts';
import type { RunContext, RunParts } from './run-context.ts';
import type { LoadReport, Report, RunStatus } from './report-types.ts';
import { tidySkipped } from './tidy.ts';
import { createUsage } from './usage.ts';

export interface RunOptions {
  /** A postgres:// URL. */
  readonly databaseUrl: string;
  readonly log: Log;
  /** Stops the run: what is open is rolled back, what is committed stays. */
  readonly signal?: AbortSignal;
  /** Load the corrected rows of reject files instead of files, in the place of what they correct. */
  readonly retryRejects?: boolean;
}

/**
 * A run that goes on. Iterate it for its events, await `report` for its end; either or both. The
 * report rejects with an EtlError only where nothing could begin (no connection, table locked);
 * what happens to files afterwards is in the report: `status`, `error` and each file's own.
 */
export interface RunHandle extends AsyncIterable<RunEvent> {
  readonly report: Promise<Report>;
}

/** Executes a plan, and obeys it: nothing is decided here that the plan has decided. */
export function run(plan: Plan, options: RunOptions): RunHandle {
  return runWith(plan, options, RUN_PARTS);
}

/** The surroundings of a run that nobody has put others in the place of. */
export const RUN_PARTS: RunParts = {
  createPool: choosePool,
  random: Math.random,
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
};

/** The same with its surroundings passed in: threads or none, real time or not. */
export function runWith(plan: Plan, options: RunOptions, parts: RunParts): RunHandle {
  const events = createEventStream<RunEvent>(LIMITS.eventsKeptMax);
  const emit = (event: RunEvent): void => events.emit(event);
  const report = execute(plan, options, parts, emit).finally(() => events.end());
  // Whoever only iterates must not die of an unhandled rejection; who awaits still gets it.
  report.catch(() => undefined);
  return { report, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() };
}

async function execute(
  plan: Plan,
  options: RunOptions,
  parts: RunParts,
  onEvent: (event: RunEvent) => void,
): Promise<Report> {
  const runId = newRunId(new Date());
  const startedAt = new Date();
  const usage = createUsage(plan.settings.performanceMonitoring);
  const signal = options.signal ?? new AbortController().signal;
  const setup = {
    databaseUrl: options.databaseUrl,
    applicationName: `etl ${runId}`,
    connectTimeoutMs: plan.settings.connectTimeoutMs,
    idleTimeoutMs: plan.settings.idleTimeoutMs,
    session: { ...fixedSession(plan.settings), ...valuesOf(plan.session) },
  };
  const coordinator = await (parts.connect ?? connect)({
    ...setup,
    session: { ...setup.session, ...flushingSession(plan.session) },
  });
  try {
    const ledgerVersion = await beginRun(coordinator, plan, runId);
    onEvent({ kind: 'run-started', runId, plan });
    const retryRejects = options.retryRejects ?? false;
    const shared = {
      plan,
      runId,
      startedAt,
      ledgerVersion,
      coordinator,
      setup,
      signal,
      retryRejects,
    };
    const context = { ...shared, parts, onEvent, usage };
    const { loads, error } = await runLoads(context).catch(async (refusal: unknown) => {
      // Nothing was begun, but the record of the run was, and must not say `running` for ever.
      await finish(context, 'failed', errorRecordOf(refusal)).catch(() => undefined);
      throw refusal;
    });
    const status = statusOf(loads, error);
    await finish(context, status, error);
    const report: Report = {
      version: 1,
      runId,
      status,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      loads: loads.map(withFewDocuments),
      ...usage.end(loads),
      error,
    };
    onEvent({ kind: 'run-finished', report });
    return report;
  } finally {
    await coordinator.end();
  }
}

async function beginRun(coordinator: Connection, plan: Plan, runId: string): Promise<number> {
  const schema = plan.settings.ledgerSchema;
  const version = await migrateLedger(coordinator, schema);
  await startRun(coordinator, schema, {
    runId,
    planId: plan.planId,
    host: hostname(),
    pid: process.pid,
  });
  return version;
}

/** Loads one after another; the first that fails, or an interrupt, lets no more begin. */
async function runLoads(
  context: RunContext,
): Promise<{ loads: LoadReport[]; error: ErrorRecord | null }> {
  const loads: LoadReport[] = [];
  let error: ErrorRecord | null = null;
  for (const [index, load] of context.plan.loads.entries()) {
    if (error !== null || context.signal.aborted) {
      loads.push(notLoaded(load));
      continue;
    }
    await retimeFiles(context, load, index);
    if (load.units.length === 0 && !context.retryRejects) {
      await tidySkipped(context, load, index);
      const skipped = notLoaded(load);
      await recordLoad(context, index, skipped, 0);
      const { error: why, ...indexes } = await buildSkippedIndexes(context, load, index);
      loads.push({ ...skipped, ...indexes });
      error = why;
      continue;
    }
    const startedAt = performance.now();
    const end: LoadEnd = await beginLoad(context, load, index).catch((failure: unknown) => {
      refuseToBegin(failure, loads);
      return { report: notLoaded(load), error: errorRecordOf(failure) };
    });
    const ms = performance.now() - startedAt;
    const report = timed(load, end.report, ms - (end.indexMs ?? 0));
    loads.push(report);
    error = end.error;
    await recordLoad(context, index, report, ms);
  }
  if (context.signal.aborted) error ??= interrupted();
  return { loads, error };
}

async function beginLoad(context: RunContext, load: LoadPlan, index: number): Promise<LoadEnd> {
  if (!context.retryRejects) return runLoad(context, load, index);
  const { retryLoad } = await import('./retry/retry-load.ts');
  return retryLoad(context, load, index);
}

function timed(load: LoadPlan, report: LoadReport, ms: number): LoadReport {
  return { ...report, prediction: predictionOf(load, { ...report, seconds: ms / 1000 }) };
}

/** Usage and connection errors before anything was loaded are thrown, not reported. */
function refuseToBegin(failure: unknown, before: readonly LoadReport[]): void {
  const usageError = exitCodeOf(errorRecordOf(failure)) === EXIT.usage;
  if (usageError && before.length === 0) throw failure;
}

function interrupted(): ErrorRecord {
  return new EtlError(
    'ETL_ABORTED',
    'The run was interrupted; what it had committed stays.',
    'Run the same command again: it loads the rest.',
  ).record;
}

function statusOf(loads: readonly LoadReport[], error: ErrorRecord | null): RunStatus {
  if (error?.code === 'ETL_ABORTED') return 'interrupted';
  if (error !== null) return 'failed';
  return loads.some((load) => load.totals.rejected > 0) ? 'rejected-rows' : 'loaded';
}

async function finish(
  { coordinator, plan, runId, parts }: RunContext,
  status: RunStatus,
  error: ErrorRecord | null,
): Promise<void> {
  if (!coordinator.usable()) return;
  await waitForBackends(coordinator, `etl ${runId}`, parts.sleep);
  await finishRun(coordinator, plan.settings.ledgerSchema, runId, status, error?.sentence ?? null);
}

/** Sorts by time, is unique, and fits into names: `20261122103502-7f3a1c`. */
function newRunId(now: Date): string {
  const stamp = now.toISOString().replace(/\D/g, '').slice(0, 14);
  return `${stamp}-${randomBytes(3).toString('hex')}`;
}
