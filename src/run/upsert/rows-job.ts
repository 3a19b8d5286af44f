import { join } from 'node:path';
import { EtlError } from '../../errors.ts';
import { defineJob, type JobInput } from '../../job/define-job.ts';
import type { Job } from '../../job/schema.ts';
import { LIMITS } from '../../limits.ts';
import { pointerTo } from '../../source/json/pointer.ts';
import type { Spool } from './spool-rows.ts';

type LoadInput = JobInput['loads'][number];
type SettingsInput = NonNullable<JobInput['settings']>;

/** Fields of a load that say where rows come from. */
type OfFiles = 'files' | 'order' | 'csv' | 'json' | 'documents';

/** Where rows go, and how: a load of a job without its files, its database and its settings. */
export interface UpsertTarget extends Omit<LoadInput, OfFiles> {
  /** A postgres:// URL; the variables DATABASE_URL, or PGHOST and the like, where absent. */
  readonly databaseUrl?: string;
  /**
   * Those of a job, but that a table which another run loads is waited for (`wait`) for 60 seconds,
   * and that rejected rows are in the result and in no folder.
   */
  readonly settings?: Omit<SettingsInput, 'rejects'>;
  /** Columns and the JSON pointers to their values in a row; by default the fields of the rows. */
  readonly json?: { readonly columns: Readonly<Record<string, string>> };
}

const WAIT_SECONDS = 60;

/** The job of a target, of which files are missing yet. @throws EtlError ETL_JOB_INVALID */
export function jobOfTarget(target: UpsertTarget, cwd: string): Job {
  const { databaseUrl, settings, ...load } = target;
  refuseFiles(load);
  if (settings !== undefined && 'rejects' in settings) {
    throw invalid('settings.rejects has no effect', 'The result has the rejected rows.');
  }
  return defineJob(
    {
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      settings: { wait: WAIT_SECONDS, ...settings },
      loads: [{ ...load, files: ['rows'] }],
    },
    cwd,
  );
}

/** Of the environment, where the target names none: the empty URL leaves every part to PG…. */
export function urlOf({ databaseUrl }: Pick<Job, 'databaseUrl'>): string {
  const { DATABASE_URL: url = '' } = process.env;
  return databaseUrl ?? (url === '' ? 'postgres://' : url);
}

/**
 * The job for rows that are spooled. Its columns are the fields of all rows, so that none is unknown
 * to the load because a sample has not met it.
 */
export function jobOfRows(job: Job, { kinds, folder }: Spool): Job {
  const loads = job.loads.map((load) => {
    if (Object.keys(load.json.columns).length > 0) return load;
    // A field that the job maps, and no row happens to have, is NULL like one that some rows lack.
    const names = [...new Set([...kinds.keys(), ...Object.keys(load.columns)])];
    refuseNone(names);
    refuseTooMany(names);
    const columns = Object.fromEntries(names.map((name) => [name, pointerTo(name)]));
    const bytes = [...kinds].flatMap(([name, kind]) => {
      const column = name in load.columns ? load.columns[name] : name;
      return kind === 'bytes' && typeof column === 'string' ? [[column, 'bytea'] as const] : [];
    });
    const types = { ...Object.fromEntries(bytes), ...load.types };
    return { ...load, types, json: { ...load.json, columns } };
  });
  return { ...job, settings: { ...job.settings, rejects: join(folder, 'rejects') }, loads };
}

function refuseFiles(load: Readonly<Record<string, unknown>>): void {
  const OF_FILES = ['files', 'order', 'csv', 'documents'];
  const given = OF_FILES.find((name) => load[name] !== undefined);
  if (given !== undefined) throw invalid(`${given} has no effect`, 'Rows in memory have no files.');
  const { json } = load;
  if (typeof json === 'object' && json !== null && 'records' in json) {
    throw invalid('json.records has no effect', 'Each row is a record.');
  }
}

function invalid(what: string, why: string): EtlError {
  return new EtlError(
    'ETL_JOB_INVALID',
    `${what} where rows are upserted.`,
    `${why} Leave it out.`,
  );
}

function refuseNone(names: readonly string[]): void {
  if (names.length > 0) return;
  throw new EtlError(
    'ETL_FILE_EMPTY',
    'No row has a field, so that there is no column to load.',
    'Give rows whose fields are columns of the table.',
  );
}

function refuseTooMany(names: readonly string[]): void {
  if (names.length <= LIMITS.columnsMax) return;
  throw new EtlError(
    'ETL_LIMIT',
    `The rows have ${names.length} different fields, more than a table has columns.`,
    'Name the columns that are wanted, with their pointers, in json.columns.',
    { limit: LIMITS.columnsMax },
  );
}
