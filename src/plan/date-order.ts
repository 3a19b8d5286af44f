import type { PlanContext } from './plan-context.ts';
import type { FilePlan } from './plan-types.ts';
import type { Target } from './target-table.ts';

type Context = Pick<PlanContext, 'catalog' | 'source' | 'seed'>;

/**
 * Says how dates such as 03.04.2025 will be read, where CSV files bring them to columns of dates: by
 * the DateStyle of the server, which by default takes them for the fourth of March. A day above 12 is
 * refused there, but a file of the first days of a month is loaded wrong without a word. A table that
 * is created has such columns as text. A few rows of the first files are looked at, and the server is
 * asked only where there are such dates.
 */
export async function dateOrderNotices(
  target: Pick<Target, 'planned'>,
  files: readonly FilePlan[],
  { catalog, source, seed }: Context,
): Promise<string[]> {
  const found = new Map<string, string>();
  const toLoad = files.filter(
    ({ skip, description }) => skip === null && description.kind === 'csv',
  );
  for (const file of toLoad.slice(0, FILES_LOOKED_AT)) {
    const columns = dateColumns(target, file);
    if (columns.length === 0) continue;
    const sample = await source.sampleFile(file, file.description, {
      ...{ rowsMax: ROWS_LOOKED_AT, seed, columns },
    });
    for (const [index, column] of columns.entries()) {
      const value = sample.rows.map((row) => row[index] ?? '').find(isAmbiguous);
      if (value !== undefined && !found.has(column)) found.set(column, value);
    }
  }
  if (found.size === 0) return [];
  const order = await catalog.dateOrder();
  return [...found].map(
    ([column, value]) =>
      `Column "${column}" has dates such as ${value}, which the server reads as ${ORDERS[order] ?? order} (DateStyle). Where the files mean another order, say so once for the role that loads: alter role current_user set datestyle = 'ISO, ${order === 'DMY' ? 'MDY' : 'DMY'}'.`,
  );
}

const FILES_LOOKED_AT = 3;
const ROWS_LOOKED_AT = 100;

const DATE_TYPES: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz']);

const ORDERS: Readonly<Record<string, string>> = {
  MDY: 'month, day, year',
  DMY: 'day, month, year',
  YMD: 'year, month, day',
};

/** Columns of the file that go into columns of dates as they are. */
function dateColumns({ planned }: Pick<Target, 'planned'>, file: FilePlan): string[] {
  if (file.description.kind !== 'csv') return [];
  const ofDates = planned.columns.filter(
    ({ type, lookup }) => lookup === undefined && DATE_TYPES.has(type.typeName),
  );
  const names = new Set(ofDates.map(({ name }) => name));
  return file.description.columns.filter((_, index) => names.has(file.targets[index] ?? ''));
}

/** Two numbers that could both be the month, and are not the same. */
function isAmbiguous(value: string): boolean {
  const [, first = '', , second = ''] =
    /^(\d{1,2})([./-])(\d{1,2})\2\d{2,4}(?!\d)/.exec(value) ?? [];
  return (
    first !== '' && Number(first) <= 12 && Number(second) <= 12 && Number(first) !== Number(second)
  );
}
