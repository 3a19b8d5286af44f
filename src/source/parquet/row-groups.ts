import type { ParquetDescription } from '../source-file.ts';

/** Rows of the row groups before that one, which is counted from 0. */
export function rowsBefore({ rowGroups }: ParquetDescription, rowGroup: number): number {
  return rowGroups.slice(0, rowGroup).reduce((sum, group) => sum + group.rows, 0);
}
