import type { ErrorRecord } from '../errors.ts';
import type { Strategy } from '../job/schema.ts';
import type { SourceFile } from '../source/source-file.ts';
import type { Counts } from '../target/counts.ts';
import type { KnownCounts } from '../target/known-counts.ts';

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

/** As it is written: `runId` is null where the run was refused before it began. */
export type WrittenReport = Omit<Report, 'runId'> & { readonly runId: string | null };

export type RunStatus = 'loaded' | 'rejected-rows' | 'failed' | 'interrupted';

export interface LoadReport {
  readonly table: string;
  readonly key: readonly string[];
  readonly strategy: Strategy;
  readonly reason: string;
  readonly concurrency: number;
  readonly files: readonly FileReport[];
  /** Documents that are not among `files`, by what came of them; absent where all are listed. */
  readonly unlisted?: readonly UnlistedFiles[];
  readonly totals: Counts;
  /** Further tables that took the same rows; absent where the load has none. */
  readonly targets?: readonly TargetReport[];
  /** Rows that lookups created in other tables, those of tries that failed included. */
  readonly lookups?: readonly { readonly table: string; readonly created: number }[];
  /** Indexes that the job asks for; absent where it asks for none. */
  readonly indexes?: readonly IndexReport[];
  readonly prediction: LoadPrediction;
}

export interface IndexReport {
  readonly name: string;
  /** As the server spells it: `btree (scraped_at)`. */
  readonly definition: string;
  readonly unique: boolean;
  /** existing: it was there; not-built: an error or an interrupt came first. */
  readonly status: 'existing' | 'built' | 'not-built';
  /** Whether others could write the table meanwhile; null unless it was built. */
  readonly concurrently: boolean | null;
  /** Milliseconds of its build; null also where it was built with a new table's key, in one go. */
  readonly ms: number | null;
}

/**
 * What became of the rows of a load in a further table. Null: not known, since the ledger alone tells
 * that a unit of work was merged.
 */
export interface TargetReport {
  readonly table: string;
  readonly inserted: number | null;
  readonly updated: number | null;
  readonly unchanged: number | null;
  readonly superseded: number | null;
  /** Rows that `where` left out. */
  readonly filtered: number | null;
}

/** What the plan foresaw of a load, and what came of it. */
export interface LoadPrediction {
  /** Of the strategy that was taken: wall time of the load, its table and workers made ready. */
  readonly seconds: Foreseen;
  readonly rows: Foreseen;
  /** Rows per key, over all files. */
  readonly multiplicity: Foreseen;
  readonly conflicts: {
    /** Pairs of units of which a sample said that they share keys. */
    readonly predicted: number;
    /** Milliseconds that staged units waited for earlier ones, added up; null: not all was loaded. */
    readonly waitedMs: number | null;
  };
  /** Predicted seconds of every strategy; null where it could not do the load. */
  readonly strategies: readonly {
    readonly strategy: Strategy;
    readonly seconds: number | null;
  }[];
}

/** `ratio` is actual / predicted. Null: not known, or not all was loaded. */
export interface Foreseen {
  readonly predicted: number | null;
  readonly actual: number | null;
  readonly ratio: number | null;
}

/** Files of one status, summed; null as in FileReport. */
export interface UnlistedFiles extends KnownCounts {
  readonly status: FileReport['status'];
  readonly files: number;
  readonly bytes: number;
}

/** Null: what the strategy cannot attribute to one file. */
export interface FileReport extends KnownCounts {
  readonly path: string;
  readonly format: SourceFile['format'];
  readonly bytes: number;
  /** Path of the file that holds the rejected rows. */
  readonly rejects: string | null;
  /** skipped: loaded by an earlier run. not-loaded: an earlier error or an interrupt came first. */
  readonly status: 'loaded' | 'skipped' | 'failed' | 'not-loaded';
  readonly attempts: number;
  /**
   * Milliseconds; of the unit of work that the file is part of. Of a file that is split, staging is
   * the sum of its parts, which several workers stage at the same time.
   */
  readonly stageMs: number | null;
  readonly waitMs: number | null;
  readonly mergeMs: number | null;
  readonly error: ErrorRecord | null;
}
