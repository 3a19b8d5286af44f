import type { FileFailure, MergedUnit } from '../load/unit-session.ts';

/** How a unit ended. */
export interface UnitOutcome {
  readonly unit: number;
  /** failed: a file of it failed. not-loaded: an earlier failure or an abort came first. */
  readonly status: 'merged' | 'failed' | 'not-loaded';
  /** What was merged: of a failed unit, the files before the one that failed. */
  readonly merged: MergedUnit | null;
  readonly failure: FileFailure | null;
  /** Sessions opened. */
  readonly attempts: number;
  /** Milliseconds spent staged, waiting for admission. */
  readonly waitMs: number;
}
