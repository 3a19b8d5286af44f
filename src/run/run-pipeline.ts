import type { AdmissionMode } from '../conflict/admission.ts';
import { insertedOnly, sumCounts } from '../load/merge-unit.ts';
import type { StagedFiles } from '../load/staged-documents.ts';
import type { LoadPlan, Plan } from '../plan/plan-types.ts';
import type { TargetTable } from '../target/table.ts';
import { outcomesAfterAbort } from './after-abort.ts';
import { runDirectShares } from './direct-shares.ts';
import { runFilePipeline } from './file-pipeline.ts';
import { runFreshLoad } from './fresh-load.ts';
import { leaveUnchanged } from './leave-unchanged.ts';
import type { LoadEnd } from './load-end.ts';
import {
  fileReports,
  firstError,
  freshReports,
  loadReport,
  rangeReports,
  unitReports,
  withReject,
  withRejects,
} from './load-report.ts';
import type { LoadWork } from './load-work.ts';
import { poolWorkers } from './pool-workers.ts';
import { prepareAgain } from './prepare-table.ts';
import type { RangeOptions } from './range-options.ts';
import { OWNER_ROWS_MIN } from './range-owners.ts';
import { runRangePipeline } from './range-pipeline.ts';
import { refuseCoupled } from './refuse-coupled.ts';
import type { Counts, FileReport } from './report-types.ts';
import type { RunContext } from './run-context.ts';
import { targetReports } from './target-reports.ts';
import { tellFiles } from './tell-files.ts';
import type { UnitOutcome } from './unit-outcome.ts';

/** What every pipeline, and every short cut, is given. */
export interface PipelineWork extends LoadWork {
  readonly context: RunContext;
  readonly table: TargetTable;
  /** Ends the workers; resolves once none of their backends is left. */
  readonly untilQuiet: () => Promise<void>;
}

/** Runs the pipeline that the plan chose, after the short cut that it wants to be tried first. */
export async function runPipeline(work: PipelineWork): Promise<LoadEnd> {
  const { plan } = work;
  const filled = plan.fillBeforeKey ? await fillBeforeKey(work) : null;
  if (filled !== null) return filled;
  return plan.strategy === 'partitioned' ? runPartitioned(work) : runUnits(work);
}

/** Null: the load is to be made in the ordinary way. */
async function fillBeforeKey(work: PipelineWork): Promise<LoadEnd | null> {
  const filled = await runFreshLoad({ ...work, connectOptions: work.context.setup });
  if (filled === null) {
    const { coordinator, plan, table, signal } = work;
    // What kept it from being filled may be what somebody has made of it meanwhile.
    if (coordinator.usable() && !signal.aborted) {
      refuseCoupled(plan, await prepareAgain(coordinator, plan, [table]));
    }
    return null;
  }
  return endWith(work, freshReports(work.plan, filled), sumInserted(filled.files));
}

async function runPartitioned(work: PipelineWork): Promise<LoadEnd> {
  const { context, plan } = work;
  const prepare = context.plan.server.maxPreparedTransactions >= plan.concurrency;
  const ownerRowsMin = context.parts.ownerRowsMin ?? OWNER_ROWS_MIN;
  const range = { ...work, ...timing(context), prepare, ownerRowsMin };
  const { directShares } = plan;
  const copied = directShares === undefined ? null : await runDirectShares(range, directShares);
  if (copied !== null) {
    const { files, units } = copied;
    return endWith(work, freshReports({ ...plan, units }, copied), sumInserted(files));
  }
  const outcome = await runRangePipeline(range);
  const end = await endWith(work, rangeReports(plan, outcome), outcome.counts ?? sumCounts([]));
  return { ...end, error: outcome.failure?.error ?? null };
}

async function runUnits(work: PipelineWork): Promise<LoadEnd> {
  const { context, plan, loadIndex, task, pool, coordinator, signal, onEvent } = work;
  const { rejectPaths } = work;
  const leftOut = await leaveUnchanged({ onEvent, signal }, plan, loadIndex, pool, task);
  const onOutcome = (outcome: UnitOutcome): void => {
    for (const [file, report] of unitReports(plan, leftOut.timed(outcome))) {
      const told = withReject(report, rejectPaths.get(file));
      onEvent({ kind: 'file-finished', load: loadIndex, file, report: told });
    }
  };
  let outcomes = await runFilePipeline({
    load: plan,
    loadIndex,
    workers: poolWorkers(work, leftOut.rows),
    admissionMode: admissionMode(context.plan, plan),
    concurrency: plan.concurrency,
    signal,
    now: () => performance.now(),
    ...timing(context),
    onEvent,
    onOutcome,
  });
  if (signal.aborted && coordinator.usable()) {
    await work.untilQuiet();
    outcomes = await outcomesAfterAbort(coordinator, task.ledger, plan, outcomes);
  }
  outcomes = outcomes.map(leftOut.timed);
  const files = [...withRejects(fileReports(plan, outcomes), rejectPaths)];
  const totals = sumCounts(outcomes.flatMap((outcome) => outcome.merged?.counts ?? []));
  const report = { ...loadReport(plan, { files }, totals), ...targetReports(plan, outcomes) };
  return { report, error: firstError(files) };
}

/** How retries wait: that a stopped load ends their sleep is no failure. */
function timing({ parts }: RunContext): Pick<RangeOptions, 'random' | 'sleep'> {
  return {
    random: parts.random,
    sleep: (ms: number, stop: AbortSignal) => parts.sleep(ms, stop).catch(() => undefined),
  };
}

/** Where the reports of files come at the end, all at once. */
async function endWith(
  { plan, loadIndex, rejectPaths, onEvent }: LoadWork,
  told: Iterable<FileReport>,
  totals: Counts,
): Promise<LoadEnd> {
  const listed = await tellFiles(withRejects(told, rejectPaths), (file, report) => {
    if (plan.files[file]?.skip === null)
      onEvent({ kind: 'file-finished', load: loadIndex, file, report });
  });
  return { report: loadReport(plan, listed, totals), error: firstError(listed.files) };
}

/** Counts of files whose rows were all new. */
function sumInserted(files: StagedFiles): Counts {
  let [rows, rejected] = [0, 0];
  for (const file of files) {
    rows += file.rows;
    rejected += file.rejected;
  }
  return insertedOnly(rows, rejected);
}

/** `deterministic: false` drops the proof; `append` has no keys that could conflict. */
function admissionMode(plan: Plan, load: LoadPlan): AdmissionMode {
  if (load.strategy === 'sequential') return 'ordered';
  const keyed = [load, ...(load.targets ?? [])].some(({ key }) => key.length > 0);
  return plan.settings.deterministic && keyed ? 'prove' : 'free';
}
