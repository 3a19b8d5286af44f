import type { KeyRange } from '../conflict/key-range.ts';
import type { ErrorRecord } from '../errors.ts';
import type { UnitPlan } from '../plan/plan-types.ts';
import type { Counts, TargetCounts } from '../target/counts.ts';

/**
 * One unit of work in a worker that holds its staging table, as the coordinator sees it. The pool
 * implements it over a message port, the simulator over a map in memory: so the very scheduler
 * that runs in production runs in the simulation.
 *
 * A session is used strictly in this order: stage, exportKeys (where asked for), merge, close.
 * Every method may reject with an EtlError; whether it is retried is for conflict/retry-policy.ts.
 * close never rejects, may be called at any moment, and frees the worker.
 */
export interface UnitSession {
  stage(): Promise<StagedUnit>;
  /** 53-bit hashes of the staged keys by the database's own equality, sorted ascending. */
  exportKeys(): Promise<Float64Array>;
  /** Merges and commits, ledger rows included. */
  merge(): Promise<MergedUnit>;
  close(): Promise<void>;
}

export interface UnitWorkers {
  /**
   * `attempt` is 1 for the first try. `direct`: the unit may be copied into the table itself, where
   * it has a window. Never rejects or waits: there is a free worker for it.
   */
  open(unit: UnitPlan, attempt: number, direct: boolean): UnitSession;
}

export interface StagedUnit {
  readonly rows: number;
  /** Exact range of the leading key column over all staged rows; null where not comparable. */
  readonly range: KeyRange | null;
  /** Keys that exportKeys brings at most, where rows go to several tables; absent: the rows. */
  readonly keys?: number;
  /** Whether the rows are in the table itself, in a transaction that `merge` commits. */
  readonly direct?: boolean;
  /**
   * A file that could not be staged. The files of the unit before it are staged and shall be
   * merged; it and those after it are not.
   */
  readonly failure: FileFailure | null;
  /** Set when the ledger says that an earlier attempt, believed lost, did commit. */
  readonly alreadyMerged: MergedUnit | null;
}

export interface MergedUnit {
  readonly counts: Counts;
  /** Per file of the unit that was merged: its counts, or null where not attributable. */
  readonly files: readonly MergedFile[];
  /** Of each further table of the load, in their order; null or absent: not known. */
  readonly targets?: readonly TargetCounts[] | null;
  readonly failure: FileFailure | null;
  readonly stageMs: number;
  readonly mergeMs: number;
}

export interface MergedFile {
  readonly file: number;
  readonly counts: Counts | null;
  /** Known even where the other counts are not attributable; none where absent. */
  readonly rejected?: number;
}

export interface FileFailure {
  /** Ordinal of the file in the load. */
  readonly file: number;
  readonly error: ErrorRecord;
}
