import { quoted } from './names.ts';
import { stagedValue, type StagingTable } from './staging.ts';

/**
 * The condition over a row of staging, its names being those of the columns. A name of both tables
 * means the further one's. (As a subquery of one row, since staged columns have names of their own.)
 */
export function conditionSql(
  condition: string,
  view: Pick<StagingTable, 'columns'>,
  first: Pick<StagingTable, 'columns'>,
): string {
  const values = new Map<string, string>();
  for (const column of [...view.columns, ...first.columns]) {
    if (column.target === null || values.has(column.target)) continue;
    values.set(column.target, stagedValue(column));
  }
  const fields = [...values].map(([name, value]) => `${value} as ${quoted(name)}`);
  return `(select (${condition}) from (select ${fields.join(', ')}) of_the_row)`;
}
