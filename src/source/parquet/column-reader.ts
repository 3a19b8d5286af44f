import type { ColumnVector } from './column-batch.ts';

/** The rows of one top-level column in one row group, in order. */
export interface ColumnReader {
  /** Decodes more rows if none are left; returns how many are there, 0 at the end. */
  fill(): Promise<number>;
  /** The next rows, at most as many as `fill` has returned. */
  take(rows: number): ColumnVector;
  /** Skips rows cheaply where they fill whole pages; returns how many it skipped. */
  skip(rows: number): Promise<number>;
  /** An upper bound, or for nested columns an estimate, of the bytes of the next rows. */
  bytesOf(rows: number): number;
}
