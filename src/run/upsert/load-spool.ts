import { errorRecordOf, EtlError } from '../../errors.ts';
import type { Job } from '../../job/schema.ts';
import type { Log } from '../../log.ts';
import { LIMITS } from '../../limits.ts';
import { planWith, type PlanOptions, type PlanParts } from '../../plan/plan-job.ts';
import type { Plan } from '../../plan/plan-types.ts';
import { connectWorker } from '../../pool/connect-worker.ts';
import type { FileDescription } from '../../source/source-file.ts';
import type { KeptSessions } from '../../target/kept-sessions.ts';
import { choosePool } from '../choose-pool.ts';
import type { Report } from '../report-types.ts';
import { RUN_PARTS, runWith } from '../run.ts';
import { aborted, type Spool } from './spool-rows.ts';

export interface SpoolLoading {
  readonly databaseUrl: string;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
  readonly sessions: KeptSessions;
}

/** Somebody else may make, or change, the table between plan and run. */
const PLANS_MAX = 5;

/** Plans and runs the load of the spooled rows. @throws EtlError where not all of them are loaded */
export async function loadSpool(job: Job, spool: Spool, loading: SpoolLoading): Promise<Report> {
  const { databaseUrl, log, signal, sessions } = loading;
  for (let plans = 1; ; plans++) {
    try {
      const options = { databaseUrl, log, ...(signal === undefined ? {} : { signal }) };
      const plan = await planned(job, spool, loading);
      const report = await runWith(plan, options, {
        ...RUN_PARTS,
        connect: sessions.lend,
        createPool: (workers, setup, work) =>
          choosePool(workers, setup, work, {
            connect: (worker) => connectWorker(worker, sessions.lend),
          }),
      }).report;
      if (report.error !== null) throw EtlError.fromRecord(report.error);
      return report;
    } catch (error) {
      if (signal?.aborted === true) throw aborted();
      const stale = errorRecordOf(error).code === 'ETL_PLAN_STALE';
      if (!stale || plans === PLANS_MAX) throw error;
    }
  }
}

/**
 * Files that the ledger has are skipped, but only all of them: rows under a known name of which some
 * are others than before are all loaded again, so that what comes last wins as it should. Where all
 * rows stay (append), what is there is there.
 */
async function planned(
  job: Job,
  spool: Spool,
  { databaseUrl, log, signal, sessions }: SpoolLoading,
): Promise<Plan> {
  const { files } = spool;
  const options = { databaseUrl, log, ...(signal === undefined ? {} : { signal }) };
  const parts = { connect: sessions.lend, files: files.map(({ file }) => file) };
  const plan =
    (await plannedUnsampled(job, spool, options, parts)) ?? (await planWith(job, options, parts));
  const skipped = plan.loads.flatMap((load) => load.files.filter(({ skip }) => skip !== null));
  const appends = plan.loads.every(({ onConflict }) => onConflict === 'append');
  if (skipped.length === 0 || skipped.length === files.length || appends) return plan;
  return planWith(job, { ...options, force: true }, parts);
}

/**
 * The plan of few rows for tables that are there, which needs no sample: there is nothing to choose, and
 * to read 5,000 rows once more takes a seventh of the CPU of their upsert. Null where there are more, or a
 * table is to be made, whose types a sample tells.
 */
async function plannedUnsampled(
  job: Job,
  { files, rows }: Spool,
  options: PlanOptions,
  parts: PlanParts,
): Promise<Plan | null> {
  if (files.length !== 1 || rows > LIMITS.upsertUnsampledRowsMax) return null;
  const unsampled = { ...job, settings: { ...job.settings, conflictDetection: false } };
  const plan = await planWith(unsampled, options, {
    ...parts,
    source: {
      sampleFile: async (_, description, { columns }) => ({
        columns: columns ?? description.columns.map(columnName),
        rows: [],
        fileRows: rows,
        fileRowsExact: false,
        complete: false,
      }),
    },
  });
  const tables = plan.loads.flatMap(({ table, targets = [] }) => [
    table,
    ...targets.map((target) => target.table),
  ]);
  return tables.some(({ create }) => create !== null) ? null : plan;
}

function columnName(column: FileDescription['columns'][number]): string {
  return typeof column === 'string' ? column : column.name;
}
