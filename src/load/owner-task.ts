import type { LedgerEntry } from '../target/ledger.ts';
import type { StagingTable } from '../target/staging.ts';
import type { LoadTask } from './unit-task.ts';

/** One owner of keys in the range pipeline: merges its share of all keys. Plain JSON. */
export interface OwnerTask {
  readonly load: LoadTask;
  readonly tables: readonly StagingTable[];
  readonly owner: { readonly index: number; readonly count: number };
  /** Names of those that hold rows. */
  readonly filled: readonly string[];
  /** Rows of all tables; an owner has about its share of them. */
  readonly stagedRows: number;
  /** Written by the owner with index 0, in its transaction; empty for the others. */
  readonly entries: readonly LedgerEntry[];
  /** Name of the prepared transaction; null where the server allows none. */
  readonly prepareAs: string | null;
}

export interface OwnedCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly mergeMs: number;
}
