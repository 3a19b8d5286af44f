import type { ErrorRecord } from '../errors.ts';
import type { Strategy } from '../job/schema.ts';
import type { Counts } from '../target/counts.ts';

export type { Counts };

/** The report of a run (`--report`, `--json`). Its JSON Schema ships as config/report.schema.json. */
export interface Report {
  readonly version: 1;
  readonly runId: string;
  readonly status: RunStatus;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly loads: readonly LoadReport[];
  readonly resources: {
    readonly rssPeakBytes: number;
    readonly cpuUserMs: number;
    readonly cpuSystemMs: number;
    readonly connectionsPeak: number;
  };
  readonly throughput: { readonly rowsPerSecond: number; readonly bytesPerSecond: number };
  readonly error: ErrorRecord | null;
}

export type RunStatus = 'loaded' | 'rejected-rows' | 'failed' | 'interrupted';

export interface LoadReport {
  readonly table: string;
  readonly key: readonly string[];
  readonly strategy: Strategy;
  readonly reason: string;
  readonly concurrency: number;
  readonly files: readonly FileReport[];
  readonly totals: Counts;
}

/** Null: what the strategy cannot attribute to one file. */
export interface FileReport {
  readonly path: string;
  readonly format: 'csv' | 'tsv' | 'parquet';
  readonly bytes: number;
  readonly rowsRead: number | null;
  readonly inserted: number | null;
  readonly updated: number | null;
  readonly unchanged: number | null;
  readonly superseded: number | null;
  readonly rejected: number | null;
  /** skipped: loaded by an earlier run. not-loaded: an earlier error or an interrupt came first. */
  readonly status: 'loaded' | 'skipped' | 'failed' | 'not-loaded';
  readonly attempts: number;
  /** Milliseconds; of the unit of work that the file is part of. */
  readonly stageMs: number | null;
  readonly waitMs: number | null;
  readonly mergeMs: number | null;
  readonly error: ErrorRecord | null;
}
