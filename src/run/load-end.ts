import type { ErrorRecord } from '../errors.ts';
import type { LoadReport } from './report-types.ts';

/** How a load ended. */
export interface LoadEnd {
  readonly report: LoadReport;
  readonly error: ErrorRecord | null;
  /** Milliseconds that the making of indexes took, which no prediction is about. */
  readonly indexMs?: number;
}
