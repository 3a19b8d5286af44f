import type { IndexPlan, LoadPlan } from '../plan/plan-types.ts';
import { labelled, type Page } from './page.ts';
import { safeText } from './safe-text.ts';

/** The indexes that the job asks for, each with what becomes of it. */
export function indexLines({ indexes = [], table }: LoadPlan, page: Page): string[] {
  return indexes.map((index) =>
    labelled(
      '-',
      safeText(`${index.name}: ${whatItIs(index)}; ${whatBecomes(index, table.create !== null)}`),
      { margin: 4, labelWidth: 2 },
      page,
    ),
  );
}

function whatItIs({ unique, definition }: IndexPlan): string {
  return unique ? `unique, ${definition}` : definition;
}

function whatBecomes({ name, there }: IndexPlan, isNew: boolean): string {
  if (there === name) return 'is there';
  if (there !== null) return `is there as ${there}`;
  return isNew
    ? 'made once the new table is filled'
    : 'made once the rows are loaded, while others may write';
}
