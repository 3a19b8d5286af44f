import type { FilePlan, LoadPlan } from '../plan/plan-types.ts';
import { labelled } from './page.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';

/** A line for each column that is looked up: by what, where, and what happens to a new value. */
export function lookupLines({ table, files }: LoadPlan, page: Page): readonly string[] {
  return table.columns.flatMap(({ name, lookup }) => {
    if (lookup === undefined) return [];
    const { sqlName, id, match, fold, insertMissing } = lookup;
    const source = files.flatMap((file) => sourceOf(file, name))[0] ?? name;
    const text =
      `${name}: ${id} of the row of ${sqlName} whose ${match.name} equals the file's ${source}` +
      `${fold === null ? '' : `, in ${fold} case`}; ` +
      (insertMissing ? 'a missing one is created' : 'a row without one is bad');
    return [labelled('-', safeText(text), { margin: 4, labelWidth: 2 }, page)];
  });
}

function sourceOf({ description, targets }: FilePlan, into: string): string[] {
  const column = description.columns[targets.indexOf(into)];
  if (column === undefined) return [];
  return [typeof column === 'string' ? column : column.name];
}
