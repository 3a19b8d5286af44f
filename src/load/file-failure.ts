import { EtlError, errorRecordOf } from '../errors.ts';
import { retryable } from '../conflict/retry-policy.ts';
import type { FileFailure } from './unit-session.ts';

/** A bad file is a result; a lost connection, or an interrupt, is thrown, and may be retried. */
export function fileFailure(file: number, error: unknown, signal: AbortSignal): FileFailure {
  const record = errorRecordOf(error);
  if (signal.aborted || retryable(record) || record.facts.socket !== undefined) {
    throw error instanceof EtlError ? error : EtlError.fromRecord(record);
  }
  return { file, error: record };
}
