import { EtlError, type ErrorRecord } from '../errors.ts';
import type { LoadTask } from '../load/unit-task.ts';
import { missingIndexes } from '../plan/plan-indexes.ts';
import type { LoadPlan, Plan } from '../plan/plan-types.ts';
import { waitForBackends } from '../target/backends.ts';
import { unlockTables } from '../target/run-record.ts';
import { survivorsOf } from '../target/survivors.ts';
import type { TargetTable } from '../target/table.ts';
import { buildIndexes } from './build-indexes.ts';
import { workOf } from './choose-pool.ts';
import { countCreated } from './created-rows.ts';
import { furtherNames, furtherTasks, holdTables, prepareFurther } from './further-tables.ts';
import { indexReports } from './index-reports.ts';
import { joinSignals } from './join-signals.ts';
import { prepareSuperseded, withSuperseded } from './keep-superseded.ts';
import type { LoadEnd } from './load-end.ts';
import { openQuarantine, type LoadQuarantine } from './load-quarantine.ts';
import { loadTask } from './load-task.ts';
import { prepareAgain, prepareTable } from './prepare-table.ts';
import { refuseCoupled } from './refuse-coupled.ts';
import { refuseStale } from './refuse-stale.ts';
import type { RunContext } from './run-context.ts';
import { runPipeline } from './run-pipeline.ts';
import { tidy } from './tidy.ts';

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
  const { signal, release } = joinSignals(context.signal, coordinator.lost);
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
    const task = await fullTask(context, load, [table, ...further], quarantined);
    await refuseStale(coordinator, task.ledger, load);
    await prepareSuperseded(context);
    const { report, ...rest } = await runPipeline({
      ...{ context, plan: load, loadIndex: index, table, task, pool, coordinator, signal },
      onEvent: created.onEvent,
      rejectPaths: quarantined.rejectPaths,
      untilQuiet: async () => {
        await destroyPool();
        await waitForBackends(coordinator, `etl ${runId}`, context.parts.sleep);
      },
    });
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
    release();
    await destroyPool();
    await quarantined?.close();
    if (coordinator.usable()) await unlockTables(coordinator);
    onEvent({ kind: 'load-finished', load: index });
  }
}

/** What the workers are told, with what the further tables and the database add to it. */
async function fullTask(
  context: RunContext,
  load: LoadPlan,
  [table, ...further]: readonly [TargetTable, ...TargetTable[]],
  quarantined: LoadQuarantine,
): Promise<LoadTask> {
  const task = loadTask(context, load, table, quarantined);
  const survivors = await survivorsOf(context.coordinator, task.ledger.schema, table);
  return {
    ...task,
    ledger: { ...task.ledger, ...survivors, ...furtherNames(further) },
    ...furtherTasks(context.plan, load, further),
    ...creationOrder(context.plan, load),
  };
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
  const missing = indexes.indexes?.some(({ status }) => status === 'not-built') ?? false;
  // The loss of the lock ends the making of indexes as an interrupt does, and is none.
  const lost = missing && context.coordinator.lost.aborted ? lockLost(load.table.sqlName) : null;
  return { report, error: error ?? lost, indexMs: performance.now() - startedAt };
}

function lockLost(table: string): ErrorRecord {
  return new EtlError(
    'ETL_CONNECTION',
    `The connection that held the lock on ${table} was lost, so the load was stopped.`,
    'Run the same command again: it loads the rest.',
    { table },
  ).record;
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
