import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { EtlError, type ErrorRecord } from '../../errors.ts';
import type { Job } from '../../job/schema.ts';
import { LIMITS } from '../../limits.ts';
import { silentLog, type Log } from '../../log.ts';
import { planningSession } from '../../plan/plan-job.ts';
import { createKeptSessions } from '../../target/kept-sessions.ts';
import { NO_ROWS } from '../../target/counts.ts';
import type { Counts, Report } from '../report-types.ts';
import type { RejectedRow } from './bad-row.ts';
import { loadSpool } from './load-spool.ts';
import { rejectedRows, withIndex } from './rejected-rows.ts';
import { inCode } from './remedy-in-code.ts';
import { jobOfRows, jobOfTarget, urlOf, type UpsertTarget } from './rows-job.ts';
import type { WriterOptions } from './spool-writer.ts';
import { spoolRows, type Rows, type Spool } from './spool-rows.ts';

export interface LoaderOptions {
  /** Nothing is logged by default. */
  readonly log?: Log;
  /** Where rows are written until they are loaded; the system's folder for temporary files. */
  readonly spoolFolder?: string;
}

export interface UpsertOptions {
  /**
   * Names these rows in the ledger: the same rows under the same name are loaded into the table
   * once, however often they come; where a call failed half-way, the next one loads the rest. By
   * default every call is a load of its own: with `onConflict: 'append'`, where rows that come again
   * are there twice, a call that may be repeated wants a name. (What is tried again inside of a call,
   * after a lost connection or a deadlock, is safe in any case.)
   */
  readonly name?: string;
  /** Stops the call: what is open is rolled back, what is committed stays. */
  readonly signal?: AbortSignal;
}

/** What became of the rows of one call. */
export interface UpsertResult {
  /** rowsRead = inserted + updated + unchanged + superseded + rejected. All 0 where skipped. */
  readonly counts: Counts;
  /** With `onError: 'quarantine'`: the rows that were left out, in order; the first 10,000 of them. */
  readonly rejected: readonly RejectedRow[];
  /** Whether the ledger has the same rows under the same name, so that nothing was done. */
  readonly skipped: boolean;
  /** Of the run behind it; null where there was no row to load. */
  readonly report: Report | null;
}

export interface UpsertLoader {
  /**
   * Loads the rows; calls take effect in their order, and meanwhile take their rows. A call of up to
   * 100,000 rows (32 MB) is one transaction, and a larger one some: where it fails, the earlier ones stay,
   * and it can be called again with the same rows (with `append`: under a name, see UpsertOptions).
   *
   * @throws EtlError where not all rows are loaded, but for those that a quarantine takes:
   *   ETL_ROW_INVALID with `record.facts.index` for a bad row, ETL_LOCKED, ETL_CONNECTION, ETL_ABORTED …
   */
  upsert(rows: Rows<object>, options?: UpsertOptions): Promise<UpsertResult>;
  /** Ends its connections, once the calls that are under way have ended. */
  close(): Promise<void>;
}

/**
 * Upserts rows that are in memory, or come one by one, and ends with the table as if they had been
 * upserted in their order: `await upsert({ table: 'orders', key: ['id'] }, rows)`.
 *
 * Rows are plain objects, their fields columns. Texts, numbers, `bigint` (all digits), booleans,
 * dates (as ISO texts in UTC), bytes, and for json and array columns lists and objects; a field that
 * is null, undefined or not there is NULL. They are written to a private temporary file first, since
 * they are read more than once, and the memory does not grow with them: of five fields each, rows that come
 * one by one took the process up to 250 MB where they were a million, and 366 MB where they were 2.5 or 5. An
 * array of a million, which is in memory besides with 216 MB, up to 620.
 */
export async function upsert(
  target: UpsertTarget,
  rows: Rows<object>,
  options: LoaderOptions & UpsertOptions = {},
): Promise<UpsertResult> {
  const loader = await openUpsert(target, options);
  try {
    return await loader.upsert(rows, options);
  } finally {
    await loader.close();
  }
}

/**
 * The same for many calls: keeps its connections, three of them where calls are small, so that a call
 * costs a few milliseconds.
 *
 * @throws EtlError ETL_JOB_INVALID with all problems of the target, ETL_CONNECTION
 */
export async function openUpsert(
  target: UpsertTarget,
  options: LoaderOptions = {},
): Promise<UpsertLoader> {
  return openUpsertWith(target, options, { fileRowsMax: LIMITS.spoolFileRowsMax });
}

/** The same with its surroundings passed in: how many rows a file of the spool has. */
export async function openUpsertWith(
  target: UpsertTarget,
  { log = silentLog, spoolFolder }: LoaderOptions,
  { fileRowsMax }: Pick<WriterOptions, 'fileRowsMax'>,
): Promise<UpsertLoader> {
  const job = jobOfTarget(target, process.cwd());
  const databaseUrl = urlOf(job);
  const sessions = createKeptSessions();
  await (await sessions.lend(greeting(job, databaseUrl))).end();
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work, work);
    last = done.catch(() => undefined);
    return done;
  };

  /** `ownName`: of rows to which the caller gave none. */
  const load = async (
    spool: Spool,
    ownName: string | null,
    signal: AbortSignal | undefined,
  ): Promise<Report> => {
    try {
      return await loadSpool(jobOfRows(job, spool), spool, { databaseUrl, log, signal, sessions });
    } catch (error) {
      await sessions.endIdle();
      if (!(error instanceof EtlError)) throw error;
      const record = inCode(withIndex(error.record, spool));
      throw EtlError.fromRecord(
        ownName === null ? record : repeatable(record, job, spool, ownName),
      );
    }
  };

  return {
    upsert: async (rows, { name, signal } = {}) => {
      if (closed) throw closedError();
      // Each call that takes its rows listens; of more than ten Node warns as of a leak.
      if (signal !== undefined) setMaxListeners(0, signal);
      const ownName = name === undefined ? randomUUID() : null;
      const spooling = spoolRows(rows, {
        name: ledgerName(ownName ?? checkedName(name ?? '')),
        within: spoolFolder,
        stops: job.settings.onError === 'stop',
        fileRowsMax,
        signal,
      });
      // It may fail while the call before this one goes on.
      spooling.catch(() => undefined);
      return inTurn(async () => {
        const spool = await spooling;
        try {
          const report = spool.files.length === 0 ? null : await load(spool, ownName, signal);
          return await resultOf(report, spool);
        } finally {
          await spool.remove();
        }
      });
    },
    close: async () => {
      closed = true;
      await last;
      await sessions.close();
    },
  };
}

function greeting(job: Job, databaseUrl: string) {
  const { connectTimeoutMs, idleTimeoutMs } = job.settings;
  const session = planningSession(job.settings);
  return { databaseUrl, applicationName: 'etl', connectTimeoutMs, idleTimeoutMs, session };
}

async function resultOf(report: Report | null, spool: Spool): Promise<UpsertResult> {
  const { rejectedCount } = spool;
  const load = report?.loads[0];
  const files = load?.files ?? [];
  const skipped = files.length > 0 && files.every(({ status }) => status === 'skipped');
  const rejected = await rejectedRows(spool, files);
  const totals = load?.totals ?? NO_ROWS;
  const counts = {
    ...totals,
    rowsRead: totals.rowsRead + rejectedCount,
    rejected: totals.rejected + rejectedCount,
  };
  return { counts, rejected, skipped, report: report === null ? null : withoutRejects(report) };
}

/** The reject files go with the spool. */
function withoutRejects(report: Report): Report {
  const loads = report.loads.map((load) => ({
    ...load,
    files: load.files.map((file) => ({ ...file, rejects: null })),
  }));
  return { ...report, loads };
}

/** The rows of a call may be there in part: to bring them all again would bring these twice. */
function repeatable(
  record: ErrorRecord,
  { loads }: Job,
  { files }: Spool,
  name: string,
): ErrorRecord {
  const appends = loads.some((load) =>
    [load, ...load.targets].some(({ onConflict }) => onConflict === 'append'),
  );
  if (!appends || files.length < 2) return record;
  const remedy = `${record.remedy} To call again with the same rows, name them: { name: '${name}' }; what is there of them is not loaded twice then.`;
  return { ...record, remedy };
}

function ledgerName(name: string): string {
  return `rows:${name}`;
}

function checkedName(name: string): string {
  const limit = LIMITS.rowsNameCharactersMax;
  if (name !== '' && name.length <= limit) return name;
  throw new EtlError(
    'ETL_USAGE',
    name === '' ? 'The name of the rows is empty.' : `The name of the rows is too long.`,
    `Give 1 to ${limit} characters, or no name for a load of its own.`,
    { limit },
  );
}

function closedError(): EtlError {
  return new EtlError('ETL_USAGE', 'The loader is closed.', 'Open another one by openUpsert.');
}
