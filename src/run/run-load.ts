import { EtlError, type ErrorRecord } from '../errors.ts';
import type { AdmissionMode } from '../conflict/admission.ts';
import { insertedOnly, sumCounts } from '../load/merge-unit.ts';
import type { LoadTask } from '../load/unit-task.ts';
import type { LoadPlan, Plan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import { waitForBackends } from '../target/backends.ts';
import { lockTable, unlockTables } from '../target/run-record.ts';
import { dropFresh } from '../target/fresh-table.ts';
import { dropSharedStaging, recoverPrepared } from '../target/shared-staging.ts';
import type { TargetTable } from '../target/table.ts';
import { outcomesAfterAbort } from './after-abort.ts';
import { runFreshLoad } from './fresh-load.ts';
import { runFilePipeline } from './file-pipeline.ts';
import {
  fileReports,
  firstError,
  freshReports,
  loadReport,
  rangeReports,
  unitReports,
} from './load-report.ts';
import { poolWorkers } from './pool-workers.ts';
import { prepareTable } from './prepare-table.ts';
import type { UnitOutcome } from './unit-outcome.ts';
import { OWNER_ROWS_MIN } from './range-owners.ts';
import { runRangePipeline } from './range-pipeline.ts';
import type { Counts, FileReport, LoadReport } from './report-types.ts';
import type { RunContext } from './run-context.ts';

export interface LoadEnd {
  readonly report: LoadReport;
  readonly error: ErrorRecord | null;
}

/** One load: its table made ready and locked, its workers started, its pipeline run. */
export async function runLoad(
  context: RunContext,
  load: LoadPlan,
  index: number,
): Promise<LoadEnd> {
  const { coordinator, runId, onEvent } = context;
  const { ledgerSchema } = context.plan.settings;
  onEvent({ kind: 'load-started', load: index, plan: load });
  const table = await prepareTable(coordinator, load, (ddl) => {
    onEvent({ kind: 'table-created', load: index, ddl });
  });
  await lockTable(coordinator, ledgerSchema, runId, table);
  const threads = Math.max(1, Math.min(load.concurrency, load.units.length));
  const pool = context.parts.createPool(threads, context.setup);
  let destroyed: Promise<void> | null = null;
  const destroyPool = (): Promise<void> => (destroyed ??= pool.destroy());
  // The lock goes with the coordinator's connection, and then another run may begin on the table.
  const signal = AbortSignal.any([context.signal, coordinator.lost]);
  const abort = (): void => pool.abort();
  signal.addEventListener('abort', abort);
  try {
    await tidy(context, table, index);
    const task = loadTask(context, load, table);
    const end = await runPipeline(
      { ...context, signal },
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
    context.usage.connections(1 + pool.connections());
    return coordinator.lost.aborted ? { ...end, error: lockLost(table.sqlName) } : end;
  } finally {
    signal.removeEventListener('abort', abort);
    await destroyPool();
    if (coordinator.usable()) await unlockTables(coordinator);
    onEvent({ kind: 'load-finished', load: index });
  }
}

function lockLost(table: string): ErrorRecord {
  return new EtlError(
    'ETL_CONNECTION',
    `The connection that held the lock on ${table} was lost, so the load was stopped.`,
    'Run the same command again: it loads the rest.',
    { table },
  ).record;
}

/** Ends what a run that died has left: its prepared transactions and its staging. */
async function tidy(context: RunContext, table: TargetTable, index: number): Promise<void> {
  const { coordinator, plan, onEvent } = context;
  const prepared = await recoverPrepared(coordinator, plan.settings.ledgerSchema, table.oid);
  const fresh = await dropFresh(coordinator, table);
  const shared = await dropSharedStaging(coordinator, plan.settings.ledgerSchema, table.oid);
  const staging = fresh + shared;
  if (prepared + staging === 0) return;
  const sentence =
    `An earlier run was cut off: ${prepared} prepared transactions were ended and ` +
    `${staging} staging tables dropped.`;
  onEvent({ kind: 'notice', load: index, sentence });
}

function loadTask(context: RunContext, load: LoadPlan, table: TargetTable): LoadTask {
  const { plan, runId } = context;
  return {
    target: {
      schema: table.schema,
      name: table.name,
      // The columns of a unique index may be NULL, and two NULLs are two rows to it; but a row without
      // a key is one that no later file could meet, so it is refused.
      columns: table.columns.map((column) =>
        load.key.includes(column.name) ? { ...column, notNull: true } : column,
      ),
      key: load.key,
      onConflict: load.onConflict,
      versionColumn: load.versionColumn,
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
  };
}

async function runPipeline(
  context: RunContext,
  load: LoadPlan,
  index: number,
  pool: WorkerPool,
  task: LoadTask,
  table: TargetTable,
  untilQuiet: () => Promise<void>,
): Promise<LoadEnd> {
  const { coordinator, onEvent, signal, parts } = context;
  const shared = {
    loadIndex: index,
    signal,
    random: parts.random,
    sleep: (ms: number, stop: AbortSignal) => parts.sleep(ms, stop).catch(() => undefined),
    onEvent,
  };
  const endWith = (files: readonly FileReport[], totals: Counts): LoadEnd => {
    files.forEach((report, file) => {
      if (load.files[file]?.skip === null)
        onEvent({ kind: 'file-finished', load: index, file, report });
    });
    return { report: loadReport(load, files, totals), error: firstError(files) };
  };
  if (load.fillBeforeKey) {
    const filling = { plan: load, loadIndex: index, task, table, pool, coordinator };
    const filled = await runFreshLoad({ ...filling, signal, onEvent });
    if (filled !== null) {
      const rows = filled.files.reduce((sum, file) => sum + file.rows, 0);
      return endWith(freshReports(load, filled), insertedOnly(rows));
    }
  }
  if (load.strategy === 'partitioned') {
    const prepare = context.plan.server.maxPreparedTransactions >= load.concurrency;
    const outcome = await runRangePipeline({
      plan: load,
      task,
      pool,
      coordinator,
      prepare,
      ownerRowsMin: parts.ownerRowsMin ?? OWNER_ROWS_MIN,
      untilQuiet,
      ...shared,
    });
    const end = endWith(rangeReports(load, outcome), outcome.counts ?? sumCounts([]));
    return { ...end, error: outcome.failure?.error ?? null };
  }
  const onOutcome = (outcome: UnitOutcome): void => {
    for (const [file, report] of unitReports(load, outcome)) {
      onEvent({ kind: 'file-finished', load: index, file, report });
    }
  };
  let outcomes = await runFilePipeline({
    load,
    workers: poolWorkers(pool, task, load, index, onEvent),
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
  const files = fileReports(load, outcomes);
  const totals = sumCounts(outcomes.flatMap((outcome) => outcome.merged?.counts ?? []));
  return { report: loadReport(load, files, totals), error: firstError(files) };
}

/** `deterministic: false` drops the proof; `append` has no keys that could conflict. */
function admissionMode(plan: Plan, load: LoadPlan): AdmissionMode {
  if (load.strategy === 'sequential') return 'ordered';
  return plan.settings.deterministic && load.onConflict !== 'append' ? 'prove' : 'free';
}
