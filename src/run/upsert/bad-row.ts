import type { ErrorRecord } from '../../errors.ts';
import type { RowFault } from './row-text.ts';

/** A row that was left out, and why. */
export interface RejectedRow {
  /** Of the row among those of the call, from 0. */
  readonly index: number;
  readonly error: ErrorRecord;
}

/** The error of a row that cannot be said in JSON. */
export function badRow(index: number, { message, field }: RowFault): ErrorRecord {
  return {
    code: 'ETL_ROW_INVALID',
    sentence: `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`,
    remedy: 'Rows are plain objects of texts, numbers, booleans, dates, bytes, lists and objects.',
    facts: { index, ...(field === null ? {} : { column: field }) },
  };
}
