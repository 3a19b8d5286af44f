import type { FilePlan, LoadPlan } from '../plan/plan-types.ts';
import type { ColumnLookup, TargetColumn } from '../target/table.ts';
import { labelled } from './page.ts';
import type { Page } from './page.ts';
import { safeText } from './safe-text.ts';

/** A line for each column that is looked up: by what, where, and what happens to a new value. */
export function lookupLines(
  { table, targets = [], files }: LoadPlan,
  page: Page,
): readonly string[] {
  const own = table.columns.flatMap((column) => linesOf(column, '', files, (file) => file.targets));
  const further = targets.flatMap((target, place) =>
    target.table.columns.flatMap((column) =>
      linesOf(column, `${target.table.sqlName}.`, files, (file) => file.further?.[place] ?? []),
    ),
  );
  return [...own, ...further].map((text) =>
    labelled('-', safeText(text), { margin: 4, labelWidth: 2 }, page),
  );
}

function linesOf(
  { name, lookup }: TargetColumn,
  prefix: string,
  files: readonly FilePlan[],
  mappingOf: (file: FilePlan) => readonly (string | null)[],
): string[] {
  if (lookup === undefined) return [];
  const source = files.flatMap((file) => sourceOf(file, mappingOf(file), name))[0] ?? name;
  const { sqlName, id, match, fold } = lookup;
  return [
    `${prefix}${name}: ${id} of the row of ${sqlName} whose ${match.name} equals the file's ${source}` +
      `${fold === null ? '' : `, in ${fold} case`}; ${whatBecomes(lookup)}`,
  ];
}

function whatBecomes({ insertMissing, set, required }: ColumnLookup): string {
  const names = (set?.columns ?? []).map((column) => column.name);
  const missing = insertMissing
    ? `a missing one is created${names.length === 0 ? '' : `, with ${names.join(', ')} of its first row`}`
    : required === false
      ? 'NULL where there is none'
      : 'a row without one is bad';
  return required === true ? `${missing}; a row without a value is bad` : missing;
}

function sourceOf(
  { description }: FilePlan,
  targets: readonly (string | null)[],
  into: string,
): string[] {
  const column = description.columns[targets.indexOf(into)];
  if (column === undefined) return [];
  return [typeof column === 'string' ? column : column.name];
}
