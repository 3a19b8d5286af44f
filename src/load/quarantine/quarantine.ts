import { EtlError, errorRecordOf, type ErrorRecord } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import { retryable } from '../../conflict/retry-policy.ts';

/** What happens to bad rows where a load goes on without them. Plain JSON: it crosses threads. */
export interface Quarantine {
  /** Absolute; it holds the reject files. */
  readonly folder: string;
  /** Path of what all spool files of this load begin with. */
  readonly spoolPrefix: string;
  /** Of one file; null: as many as there are. */
  readonly maxErrors: MaxErrors | null;
  /** The first transaction id that this load may have: rows of lower ones were there before it. */
  readonly began: string;
}

export type MaxErrors =
  | { readonly kind: 'rows'; readonly rows: number }
  /** From 0 to 1. */
  | { readonly kind: 'share'; readonly share: number };

/** The job's setting: a number of rows, `5%`, or null. */
export function maxErrorsOf(setting: number | string | null): MaxErrors | null {
  if (setting === null) return null;
  if (typeof setting === 'number') return { kind: 'rows', rows: setting };
  return { kind: 'share', share: Number(setting.replace('%', '')) / 100 };
}

/**
 * Refuses a file that has more bad rows than it may. `rows`: the rows of the file; null while they
 * are not known, and then a share cannot be exceeded yet.
 */
export function refuseTooMany(
  max: MaxErrors | null,
  file: string,
  rejected: number,
  rows: number | null,
): void {
  if (max === null) return;
  if (max.kind === 'rows' ? rejected <= max.rows : rows === null || rejected <= rows * max.share) {
    return;
  }
  const told =
    max.kind === 'rows' ? `${max.rows}` : `${Math.round(max.share * 1e6) / 1e4} % of its ${rows}`;
  throw new EtlError(
    'ETL_LIMIT',
    `More rows of the file are bad than are allowed (${told}): ${rejected} so far.`,
    remedy`See which in its reject file, and correct them or raise ${setting('settings.maxErrors')}; nothing of the file is loaded.`,
    { file, limit: max.kind === 'rows' ? max.rows : Math.floor((rows ?? 0) * max.share) },
  );
}

/**
 * Whether an error is about rows, so that the others can be loaded without them: data exceptions,
 * constraints, views' checks, policies, what triggers raise, an index entry that is too large, a key that a
 * trigger gives to two of them; what a transform says of a row, which has a line then, where what is wrong
 * with the transform itself has none.
 */
export function isRowFault(record: ErrorRecord): boolean {
  const state = record.facts.sqlState;
  // A policy refuses a row by the SQLSTATE of a role that lacks a privilege; see serverError.
  if (state === '42501') return record.code === 'ETL_ROW_INVALID';
  if (state !== undefined) return /^(?:21000|22|23|44|P0|54000)/.test(state) && !retryable(record);
  if (record.code === 'ETL_TRANSFORM') return record.facts.line !== undefined;
  return ROW_CODES.has(record.code);
}

/** Of JSON, what is wrong beside its records is told by who looks for the bad ones. */
const ROW_CODES: ReadonlySet<string> = new Set([
  'ETL_ROW_INVALID',
  'ETL_CSV_MALFORMED',
  'ETL_JSON_MALFORMED',
  'ETL_LIMIT',
]);

export function isRowFaultError(error: unknown): boolean {
  return isRowFault(errorRecordOf(error));
}
