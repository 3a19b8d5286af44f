import { LIMITS } from '../limits.ts';
import type { TargetColumn, TargetType } from '../target/table.ts';
import { COSTS } from './cost-figures.ts';
import type { PlanContext } from './plan-context.ts';
import type { Target } from './target-table.ts';

/** Whether so many rows are worth a look, if all of them turn out to be in the table. */
export function mayPay(
  target: Target,
  rows: number,
  key: readonly TargetColumn[],
  { comparedRowsMin }: Pick<PlanContext, 'comparedRowsMin'>,
): boolean {
  const tableRows = rowsOfTable(target);
  const enough = rows >= comparedRowsMin && rows <= LIMITS.comparedRecordsMax;
  if (tableRows === null || !enough) return false;
  return readsRange(target, rows, key) || pays(1, rows, tableRows);
}

/** Times the rows of the files from which on only a range of the table is read, if it can be. */
const RANGE_ROWS_MIN = 1.5;

/** Whether only rows between the keys of the files are to be read. */
export function readsRange(
  target: Target,
  rows: number,
  [leading]: readonly TargetColumn[],
): boolean {
  const tableRows = rowsOfTable(target);
  return tableRows !== null && tableRows > rows * RANGE_ROWS_MIN && isInteger(leading?.type);
}

function isInteger(type: TargetType | undefined): boolean {
  return type?.kind === 'base' && ['int2', 'int4', 'int8'].includes(type.typeName);
}

/** As far as is known; a table that was never analyzed tells its size alone. */
export function rowsOfTable({ existing }: Target): number | null {
  if (existing === null) return null;
  return existing.estimatedRows > 0 ? existing.estimatedRows : existing.bytes / BYTES_OF_ROW;
}

const BYTES_OF_ROW = 100;

/** `share`: of the rows, those that are found in the table among `read` rows of it. */
export function pays(share: number, rows: number, read: number): boolean {
  const costs = rows * COSTS.compareRecord + read * COSTS.compareTableRow;
  return share * rows * COSTS.unchangedRow > COMPARE_MARGIN * costs;
}

/**
 * What is saved must be so many times what it costs to find it, since a sample tells the share, and one
 * worker finds it before the others begin. A load of 1.5 million rows, half of them changed, took as much
 * CPU with the comparison as without it (12.2 and 12.0 s).
 */
const COMPARE_MARGIN = 1.8;
