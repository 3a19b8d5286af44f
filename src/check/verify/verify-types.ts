import type { LoadRequest } from '../../job/schema.ts';
import type { Difference } from '../../target/compared-rows.ts';

/** What `etl verify --json` prints. Plain JSON. */
export interface VerifyReport {
  readonly version: 1;
  readonly equal: boolean;
  readonly tables: readonly TableComparison[];
}

/** One table against the reference that its files make. */
export interface TableComparison {
  readonly table: string;
  /** Empty with `append`. */
  readonly key: readonly string[];
  readonly onConflict: readonly LoadRequest['onConflict'][];
  /** Whether the table was to hold nothing but the rows of these files. */
  readonly wholeTable: boolean;
  readonly equal: boolean;
  readonly files: number;
  readonly rowsRead: number;
  /** Keys of the files; with `append` their rows. */
  readonly keys: number;
  /** Keys (with `append`: rows) that the table lacks. */
  readonly missing: number;
  /** Keys that no file has, or rows that the table holds too often; only of a whole table. */
  readonly extra: number;
  readonly changed: number;
  /** `ignore`: keys with other values, as a row that was there before would have kept them. */
  readonly kept: number;
  /** `newest`: keys whose row in the table is newer than any in the files. */
  readonly newer: number;
  /** Key ranges that were compared, and those that had to be joined; 0 with `append`. */
  readonly ranges: number;
  readonly rangesJoined: number;
  /** Columns of the table that no file brings, or (with `append`) not all of them. */
  readonly notCompared: readonly string[];
  /** The first differences; `missing`, `extra` and `changed` count them all. */
  readonly differences: readonly Difference[];
  /** What may explain differences. */
  readonly notices: readonly string[];
  readonly durationMs: number;
}
