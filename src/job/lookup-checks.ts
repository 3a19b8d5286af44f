import { show } from './job-problems.ts';
import { isRecord } from './json-path.ts';

type Where = (...steps: (string | number)[]) => string;
type Raw = Readonly<Record<string, unknown>>;

/** Lookups that contradict each other, or the mapping of the columns. */
export function lookupProblems(load: Raw, where: Where): string[] {
  const lookups = Array.isArray(load['lookups']) ? load['lookups'].filter(isRecord) : [];
  const columns = isRecord(load['columns']) ? load['columns'] : {};
  return lookups.flatMap((lookup, index) => {
    const { column, into } = lookup;
    const before = lookups.slice(0, index);
    const at = (...steps: string[]): string => where('lookups', index, ...steps);
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
    return [
      ...problems,
      ...ownTableProblems(load, lookup, at),
      ...requiredProblems(lookup, at),
      ...setProblems(lookup, at),
    ];
  });
}

function ownTableProblems(load: Raw, { table }: Raw, at: (step: string) => string): string[] {
  if (typeof table !== 'string') return [];
  const targets = Array.isArray(load['targets']) ? load['targets'].filter(isRecord) : [];
  if (![load, ...targets].some((one) => one['table'] === table)) return [];
  return [
    `${at('table')}: ${show(table)} is a table that is loaded; its own rows cannot be looked up.`,
  ];
}

function requiredProblems(lookup: Raw, at: (step: string) => string): string[] {
  if (lookup['required'] !== false || lookup['insertMissing'] !== true) return [];
  return [
    `${at('required')}: false has no effect with insertMissing, which creates what is not found; leave it out.`,
  ];
}

function setProblems(lookup: Raw, at: (...steps: string[]) => string): string[] {
  const set = isRecord(lookup['set']) ? lookup['set'] : {};
  const names = Object.keys(set);
  if (names.length === 0) return [];
  if (lookup['insertMissing'] !== true) {
    return [
      `${at('set')}: has no effect without insertMissing: only a created row gets further columns.`,
    ];
  }
  const sources = Object.values(set);
  return names.flatMap((name, place) => {
    if (name === lookup['match']) {
      return [`${at('set', name)}: a created row has the value itself there; leave it out.`];
    }
    if (sources.indexOf(sources[place]) < place) {
      return [
        `${at('set', name)}: ${show(sources[place])} goes to another column of the row already.`,
      ];
    }
    return [];
  });
}
