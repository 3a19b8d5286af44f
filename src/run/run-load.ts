import { EtlError, type ErrorRecord } from '../errors.ts';
import type { AdmissionMode } from '../conflict/admission.ts';
import { insertedOnly, sumCounts } from '../load/merge-unit.ts';
import type { StagedFiles } from '../load/staged-documents.ts';
import type { LoadTask } from '../load/unit-task.ts';
import { withPlannedLookups } from '../plan/lookup-columns.ts';
import { missingIndexes } from '../plan/plan-indexes.ts';
import type { LoadPlan, Plan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import { waitForBackends } from '../target/backends.ts';
import { unlockTables } from '../target/run-record.ts';
import { survivorsOf } from '../target/survivors.ts';
import type { TargetTable } from '../target/table.ts';
import { outcomesAfterAbort } from './after-abort.ts';
import { buildIndexes } from './build-indexes.ts';
import { workOf } from './choose-pool.ts';
import { countCreated } from './created-rows.ts';
import { runDirectShares } from './direct-shares.ts';
import { runFreshLoad } from './fresh-load.ts';
import { runFilePipeline } from './file-pipeline.ts';
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
import { leaveUnchanged } from './leave-unchanged.ts';
import { openQuarantine, type LoadQuarantine } from './load-quarantine.ts';
import { poolWorkers } from './pool-workers.ts';
import { prepareAgain, prepareTable } from './prepare-table.ts';
import type { UnitOutcome } from './unit-outcome.ts';
import { OWNER_ROWS_MIN } from './range-owners.ts';
import { furtherTasks, holdTables, prepareFurther } from './further-tables.ts';
import { indexReports } from './index-reports.ts';
import { prepareSuperseded, withSuperseded } from './keep-superseded.ts';
import { runRangePipeline } from './range-pipeline.ts';
import type { Counts, FileReport, LoadReport } from './report-types.ts';
import { refuseCoupled } from './refuse-coupled.ts';
import { refuseStale } from './refuse-stale.ts';
import type { RunContext } from './run-context.ts';
import { targetReports } from './target-reports.ts';
import { tellFiles } from './tell-files.ts';
import { tidy } from './tidy.ts';

export interface LoadEnd {
  readonly report: LoadReport;
  readonly error: ErrorRecord | null;
  /** Milliseconds that the making of indexes took, which no prediction is about. */
  readonly indexMs?: number;
}

/** One load: its table made ready and locked, its workers started, its pipeline run. */
export async function runLoad(
  context: RunContext,
  load: LoadPlan,
  index: number,
): Promise<LoadEnd> {
  const { coordinator, runId, onEvent } = context;
  onEvent({ kind: 'load-started', load: index, plan: load });
  const onCreated = (ddl: string): void => onEvent({ kind: 'table-created', load: index, ddl });
  let table = await prepareTable(coordinator, load, onCreated);
  let further = await prepareFurther(coordinator, load, onCreated);
  const tables = [table, ...further];
  const { waited } = await holdTables(context, tables, index);
  const threads = Math.max(1, Math.min(load.concurrency, load.units.length));
  const pool = await context.parts.createPool(
    threads,
    { ...context.setup, tableOid: table.oid, furtherOids: further.map(({ oid }) => oid) },
    workOf(load, context.plan.settings),
  );
  let destroyed: Promise<void> | null = null;
  const destroyPool = (): Promise<void> => (destroyed ??= pool.destroy());
  // The lock goes with the coordinator's connection, and then another run may begin on the table.
  const signal = AbortSignal.any([context.signal, coordinator.lost]);
  const abort = (): void => pool.abort();
  signal.addEventListener('abort', abort);
  const created = countCreated(onEvent);
  let quarantined: LoadQuarantine | null = null;
  try {
    // Whoever held it may have put another table in its place, or changed it.
    if (waited) [table = table, ...further] = await prepareAgain(coordinator, load, tables);
    refuseCoupled(load, [table, ...further]);
    for (const each of tables) await tidy(context, each, index);
    quarantined = await openQuarantine(context.plan, index, table.oid, coordinator);
    const own = loadTask(context, load, table, quarantined);
    const task = {
      ...own,
      ledger: { ...own.ledger, ...(await survivorsOf(coordinator, own.ledger.schema, table)) },
      ...furtherTasks(load, further),
      ...creationOrder(context.plan, load),
    };
    await refuseStale(coordinator, task.ledger, load);
    await prepareSuperseded(context);
    const { report, ...rest } = await runPipeline(
      { ...context, onEvent: created.onEvent, signal, rejectPaths: quarantined.rejectPaths },
      load,
      index,
      pool,
      task,
      table,
      async () => {
        await destroyPool();
        await waitForBackends(coordinator, `etl ${runId}`, context.parts.sleep);
      },
    );
    const told = { ...rest, report: { ...report, ...created.report(load) } };
    const end = await withSuperseded({ ...context, signal }, load, index, task, told);
    context.usage.connections(1 + pool.connections());
    if (coordinator.lost.aborted) return { ...end, error: lockLost(table.sqlName) };
    if (end.error !== null || missingIndexes(load).length === 0) {
      return { ...end, report: { ...end.report, ...indexReports(load, new Map()) } };
    }
    await destroyPool();
    return await withIndexes({ ...context, signal }, load, index, end);
  } finally {
    signal.removeEventListener('abort', abort);
    await destroyPool();
    await quarantined?.close();
    if (coordinator.usable()) await unlockTables(coordinator);
    onEvent({ kind: 'load-finished', load: index });
  }
}

async function withIndexes(
  context: RunContext,
  load: LoadPlan,
  index: number,
  end: LoadEnd,
): Promise<LoadEnd> {
  const startedAt = performance.now();
  const { error, ...indexes } = await buildIndexes(context, load, index);
  const report = { ...end.report, ...indexes };
  return { report, error, indexMs: performance.now() - startedAt };
}

function lockLost(table: string): ErrorRecord {
  return new EtlError(
    'ETL_CONNECTION',
    `The connection that held the lock on ${table} was lost, so the load was stopped.`,
    'Run the same command again: it loads the rest.',
    { table },
  ).record;
}

export function loadTask(
  context: RunContext,
  load: LoadPlan,
  table: TargetTable,
  quarantined: LoadQuarantine,
): LoadTask {
  const { plan, runId } = context;
  return {
    target: {
      schema: table.schema,
      name: table.name,
      ...(table.inherited === true ? { inherited: true } : {}),
      // The columns of a unique index may be NULL, and two NULLs are two rows to it; but a row without
      // a key is one that no later file could meet, so it is refused.
      columns: withPlannedLookups(table.columns, load.table).map((column) =>
        load.key.includes(column.name) ? { ...column, notNull: true } : column,
      ),
      key: load.key,
      onConflict: load.onConflict,
      versionColumn: load.versionColumn,
      ...(load.insertOnly === undefined ? {} : { insertOnly: load.insertOnly }),
      ...(load.compare === undefined ? {} : { compare: load.compare }),
    },
    sqlName: table.sqlName,
    ledger: {
      schema: plan.settings.ledgerSchema,
      runId,
      planId: plan.planId,
      tableOid: table.oid,
      tableName: table.sqlName,
      fingerprint: load.fingerprint,
      strategy: load.strategy,
    },
    utf8: plan.server.encoding === 'UTF8',
    countRows: table.rowTriggers.length > 0,
    hasRules: table.rules.length > 0,
    subBatchSize: plan.settings.subBatchSize,
    startedAt: context.startedAt.toISOString(),
    quarantine: quarantined.quarantine,
  };
}

async function runPipeline(
  context: RunContext & Pick<LoadQuarantine, 'rejectPaths'>,
  load: LoadPlan,
  index: number,
  pool: WorkerPool,
  task: LoadTask,
  table: TargetTable,
  untilQuiet: () => Promise<void>,
): Promise<LoadEnd> {
  const { coordinator, onEvent, signal, parts, rejectPaths } = context;
  const shared = {
    loadIndex: index,
    signal,
    random: parts.random,
    sleep: (ms: number, stop: AbortSignal) => parts.sleep(ms, stop).catch(() => undefined),
    onEvent,
  };
  const endWith = async (told: Iterable<FileReport>, totals: Counts): Promise<LoadEnd> => {
    const listed = await tellFiles(withRejects(told, rejectPaths), (file, report) => {
      if (load.files[file]?.skip === null)
        onEvent({ kind: 'file-finished', load: index, file, report });
    });
    return { report: loadReport(load, listed, totals), error: firstError(listed.files) };
  };
  if (load.fillBeforeKey) {
    const filling = {
      plan: load,
      loadIndex: index,
      task,
      table,
      pool,
      coordinator,
      connectOptions: context.setup,
    };
    const filled = await runFreshLoad({ ...filling, signal, onEvent, rejectPaths });
    if (filled !== null) {
      return endWith(freshReports(load, filled), sumInserted(filled.files));
    }
  }
  if (load.strategy === 'partitioned') {
    const prepare = context.plan.server.maxPreparedTransactions >= load.concurrency;
    const ownerRowsMin = parts.ownerRowsMin ?? OWNER_ROWS_MIN;
    const owned = { plan: load, task, pool, coordinator, prepare, ownerRowsMin, untilQuiet };
    const range = { ...owned, rejectPaths, ...shared };
    const { directShares } = load;
    const copied = directShares === undefined ? null : await runDirectShares(range, directShares);
    if (copied !== null) {
      const { files, units } = copied;
      return endWith(freshReports({ ...load, units }, copied), sumInserted(files));
    }
    const outcome = await runRangePipeline(range);
    const end = await endWith(rangeReports(load, outcome), outcome.counts ?? sumCounts([]));
    return { ...end, error: outcome.failure?.error ?? null };
  }
  const leftOut = await leaveUnchanged({ onEvent, signal }, load, index, pool, task);
  const onOutcome = (outcome: UnitOutcome): void => {
    for (const [file, report] of unitReports(load, leftOut.timed(outcome))) {
      const told = withReject(report, rejectPaths.get(file));
      onEvent({ kind: 'file-finished', load: index, file, report: told });
    }
  };
  let outcomes = await runFilePipeline({
    load,
    workers: poolWorkers(pool, task, load, index, onEvent, rejectPaths, leftOut.rows),
    admissionMode: admissionMode(context.plan, load),
    concurrency: load.concurrency,
    now: () => performance.now(),
    onOutcome,
    ...shared,
  });
  if (signal.aborted && coordinator.usable()) {
    await untilQuiet();
    outcomes = await outcomesAfterAbort(coordinator, task.ledger, load, outcomes);
  }
  outcomes = outcomes.map(leftOut.timed);
  const files = [...withRejects(fileReports(load, outcomes), rejectPaths)];
  const totals = sumCounts(outcomes.flatMap((outcome) => outcome.merged?.counts ?? []));
  const report = { ...loadReport(load, { files }, totals), ...targetReports(load, outcomes) };
  return { report, error: firstError(files) };
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

/** `deterministic: false` drops the order as well: then the first to come makes a row. */
function creationOrder(
  { settings }: Plan,
  { table, targets = [] }: LoadPlan,
): Pick<LoadTask, 'createsInOrder'> {
  const columns = [table, ...targets.map((target) => target.table)].flatMap((one) => one.columns);
  const sets = columns.some(({ lookup }) => lookup?.set !== undefined);
  return sets && settings.deterministic ? { createsInOrder: true } : {};
}

/** `deterministic: false` drops the proof; `append` has no keys that could conflict. */
function admissionMode(plan: Plan, load: LoadPlan): AdmissionMode {
  if (load.strategy === 'sequential') return 'ordered';
  const keyed = [load, ...(load.targets ?? [])].some(({ key }) => key.length > 0);
  return plan.settings.deterministic && keyed ? 'prove' : 'free';
}
