import { literal, quoted } from './names.ts';

/**
 * The keys that a unit may bring when it is copied into the table directly: of the leading key
 * column from `from` up to, but not including, `before`. Literals of the column's type; null: no
 * bound. Plain JSON.
 */
export interface KeyWindow {
  readonly column: string;
  readonly from: string | null;
  readonly before: string | null;
}

/**
 * COPY's own filter, null where the window has no bound. The database compares, so two windows that
 * do not meet hold no two keys that it takes for equal. NULL is in none that has a bound.
 */
export function windowSql({ column, from, before }: KeyWindow): string | null {
  const conditions = [
    ...(from === null ? [] : [`${quoted(column)} >= ${literal(from)}`]),
    ...(before === null ? [] : [`${quoted(column)} < ${literal(before)}`]),
  ];
  return conditions.length === 0 ? null : conditions.join(' and ');
}
