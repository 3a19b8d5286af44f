import { show } from './job-problems.ts';
import { isRecord } from './json-path.ts';

type Where = (...steps: (string | number)[]) => string;

/** Lookups that contradict each other, or the mapping of the columns. */
export function lookupProblems(load: Readonly<Record<string, unknown>>, where: Where): string[] {
  const lookups = Array.isArray(load['lookups']) ? load['lookups'].filter(isRecord) : [];
  const columns = isRecord(load['columns']) ? load['columns'] : {};
  if (lookups.length > 0 && Array.isArray(load['targets']) && load['targets'].length > 0) {
    return [
      `${where('lookups')}: cannot go together with targets; load each table by a load of its own.`,
    ];
  }
  return lookups.flatMap((lookup, index) => {
    const { column, into, table } = lookup;
    const before = lookups.slice(0, index);
    const at = (step: string): string => where('lookups', index, step);
    const problems: string[] = [];
    if (typeof column === 'string' && Object.hasOwn(columns, column)) {
      problems.push(`${at('column')}: ${show(column)} is mapped by columns already; leave it out.`);
    }
    if (before.some((other) => other['column'] === column)) {
      problems.push(`${at('column')}: ${show(column)} is looked up by another lookup already.`);
    }
    if (before.some((other) => other['into'] === into) || Object.values(columns).includes(into)) {
      problems.push(`${at('into')}: another column of the file goes to ${show(into)} already.`);
    }
    if (typeof table === 'string' && table === load['table']) {
      problems.push(
        `${at('table')}: ${show(table)} is the table that is loaded; its own rows cannot be looked up.`,
      );
    }
    return problems;
  });
}
