import { errorRecordOf, EtlError } from '../../errors.ts';
import type { Job } from '../../job/schema.ts';
import type { Log } from '../../log.ts';
import { planWith } from '../../plan/plan-job.ts';
import type { Plan } from '../../plan/plan-types.ts';
import { connectWorker } from '../../pool/connect-worker.ts';
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
  { files }: Spool,
  { databaseUrl, log, signal, sessions }: SpoolLoading,
): Promise<Plan> {
  const options = { databaseUrl, log, ...(signal === undefined ? {} : { signal }) };
  const parts = { connect: sessions.lend, files: files.map(({ file }) => file) };
  const plan = await planWith(job, options, parts);
  const skipped = plan.loads.flatMap((load) => load.files.filter(({ skip }) => skip !== null));
  const appends = plan.loads.every(({ onConflict }) => onConflict === 'append');
  if (skipped.length === 0 || skipped.length === files.length || appends) return plan;
  return planWith(job, { ...options, force: true }, parts);
}
