import type { MergeTarget } from '../target/merge-sql.ts';

/** A further table that takes the rows of a load. Plain JSON: it crosses threads. */
export interface FurtherTask {
  readonly target: MergeTarget;
  /** For people. */
  readonly sqlName: string;
  /** See LoadTask. */
  readonly countRows: boolean;
  /** SQL condition over a row; null: all rows. */
  readonly where: string | null;
}
