import type { ErrorRecord } from '../errors.ts';
import type { LoadPlan, Plan } from '../plan/plan-types.ts';
import type { FileReport, Report } from './report-types.ts';

/** What a run tells while it goes on. Loads and files are indexes into the plan. */
export type RunEvent =
  | { readonly kind: 'run-started'; readonly runId: string; readonly plan: Plan }
  | { readonly kind: 'load-started'; readonly load: number; readonly plan: LoadPlan }
  | { readonly kind: 'table-created'; readonly load: number; readonly ddl: string }
  | {
      readonly kind: 'file-started';
      readonly load: number;
      readonly file: number;
      readonly attempt: number;
    }
  /** Bytes are of the file on disk, so `bytes / FilePlan.bytes` is the progress of staging. */
  | {
      readonly kind: 'file-progress';
      readonly load: number;
      readonly file: number;
      readonly rows: number;
      readonly bytes: number;
    }
  | {
      readonly kind: 'file-staged';
      readonly load: number;
      readonly file: number;
      readonly rows: number;
    }
  | {
      readonly kind: 'file-waiting';
      readonly load: number;
      readonly file: number;
      readonly forFile: number;
    }
  | { readonly kind: 'file-merging'; readonly load: number; readonly file: number }
  | {
      readonly kind: 'file-finished';
      readonly load: number;
      readonly file: number;
      readonly report: FileReport;
    }
  | {
      readonly kind: 'unit-retried';
      readonly load: number;
      readonly file: number;
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: ErrorRecord;
    }
  /** A lookup created so many rows in another table. */
  | {
      readonly kind: 'rows-created';
      readonly load: number;
      readonly table: string;
      readonly rows: number;
    }
  | { readonly kind: 'notice'; readonly load: number; readonly sentence: string }
  | { readonly kind: 'load-finished'; readonly load: number }
  | { readonly kind: 'run-finished'; readonly report: Report };
