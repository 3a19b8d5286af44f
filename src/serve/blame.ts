import { retryable } from '../conflict/retry-policy.ts';
import type { ErrorCode, ErrorRecord } from '../errors.ts';

/**
 * Whom an error is to be laid to.
 *
 * - `moment`: the surroundings, and they may be better soon (no connection, a lock, no room on the
 *   disk). What was accepted stays in the queue, and is tried again for as long as the service runs.
 * - `job`: whatever is loaded by this job fails with it (a privilege, a table that is missing).
 * - `file`: one of the files, all others of a run may well be loaded.
 */
export type Blame = 'moment' | 'job' | 'file';

const OF_MOMENT: ReadonlySet<ErrorCode> = new Set([
  'ETL_ABORTED',
  'ETL_CONNECTION',
  'ETL_EMBEDDED',
  'ETL_LOCKED',
  'ETL_NO_ROOM',
  'ETL_PLAN_STALE',
]);

const OF_JOB: ReadonlySet<ErrorCode> = new Set([
  'ETL_JOB_INVALID',
  'ETL_PRIVILEGE',
  'ETL_SERVER_VERSION',
  'ETL_TABLE_MISSING',
  'ETL_USAGE',
]);

export function blameOf(record: ErrorRecord): Blame {
  const { code, facts } = record;
  // Class 53: insufficient resources of the server.
  if (retryable(record) || facts.sqlState?.startsWith('53') === true) return 'moment';
  if (OF_MOMENT.has(code)) return 'moment';
  return OF_JOB.has(code) ? 'job' : 'file';
}
