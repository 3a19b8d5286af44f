/**
 * rows read = inserted + updated + unchanged + superseded + rejected.
 * inserted: the key was new. updated: the row of the table was changed. unchanged: the table's row
 * stayed as it was (same values; or `ignore`/`newest` kept it). superseded: another row of the same
 * unit of work (with `partitioned`: of the same load) with the same key won.
 */
export interface Counts {
  readonly rowsRead: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly superseded: number;
  readonly rejected: number;
}

/**
 * What one merge did. inserted + updated + unchanged = the distinct keys that were staged, or the rows
 * where they are merged one by one.
 */
export interface MergeCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

export const NO_ROWS: Counts = {
  rowsRead: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  superseded: 0,
  rejected: 0,
};

/**
 * Of a further table of a load: rowsRead = inserted + updated + unchanged + superseded + filtered +
 * the rows that the load rejected. filtered: rows that its `where` leaves out.
 */
export interface TargetCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly superseded: number;
  readonly filtered: number;
}
