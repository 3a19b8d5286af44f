import type { LoadPlan, PlannedTable } from '../plan/plan-types.ts';
import { formatCounted } from './format.ts';
import { labelled } from './page.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';

/** A table that takes rows: whether it is there, and how full. */
export function tableText(table: PlannedTable): string {
  const name = safeText(table.sqlName);
  if (table.create !== null) return `${name}, to be created`;
  if (table.empty) return `${name}, exists, empty`;
  // What was never analyzed has no estimate.
  if (table.estimatedRows === 0) return `${name}, exists, holds rows`;
  return `${name}, exists, about ${formatCounted(table.estimatedRows, 'row')}`;
}

export function policyText({
  onConflict,
  versionColumn,
}: Pick<LoadPlan, 'onConflict' | 'versionColumn'>): string {
  switch (onConflict) {
    case 'update':
      return 'update: the last row wins';
    case 'ignore':
      return 'ignore: the row of the table stays, else the first row wins';
    case 'newest':
      return `newest: the row with the largest ${safeText(versionColumn ?? 'version')} wins`;
    case 'append':
      return 'append: every row is added';
  }
}

/** A line for each further table, in the order in which they take the rows. */
export function targetLines({ targets = [] }: LoadPlan, page: Page): readonly string[] {
  return targets.map((target) => {
    const { table, key, where } = target;
    const keyed = key.length === 0 ? '' : `key ${safeText(key.join(', '))}, `;
    const some = where === null ? '' : `; only rows where ${safeText(where)}`;
    const text = `${tableText(table)}; ${keyed}${policyText(target)}${some}`;
    return labelled('-', text, { margin: 4, labelWidth: 2 }, page);
  });
}
