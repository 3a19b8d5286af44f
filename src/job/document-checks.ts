import { show } from './job-problems.ts';
import { isRecord } from './json-path.ts';
import { parsePathPattern } from './path-pattern.ts';
import { csvSchema, jsonSchema } from './schema.ts';

type Where = (...steps: string[]) => string;
type Raw = Readonly<Record<string, unknown>>;

/** Settings that say what the rows of a file are, and so nothing of a document, which is one. */
const OF_RECORDS = { csv: csvSchema, json: jsonSchema } as const;

/** What contradicts itself in the `documents` of a load, as it was written. */
export function documentProblems(load: Raw, where: Where): string[] {
  const documents = load['documents'];
  if (!isRecord(documents)) return [];
  const path = documents['path'] ?? null;
  if (path === null) {
    return Object.keys(documents)
      .filter((name) => name !== 'path' && !isDefault(documents[name]))
      .map(
        (name) =>
          `${where('documents', name)}: has no effect without documents.path, which says that each file is one row.`,
      );
  }
  // Another type is the schema's to refuse.
  if (typeof path !== 'string' || path === '') return [];
  const pattern = parsePathPattern(path);
  if (typeof pattern === 'string') {
    return [`${where('documents', 'path')}: ${show(path)} cannot be used: ${pattern}.`];
  }
  const given = isRecord(documents['columns']) ? Object.keys(documents['columns']) : [];
  const named = given.length === 0 ? ['content'] : given;
  return [
    ...named
      .filter((name) => pattern.names.includes(name))
      .map(
        (name) =>
          `${where('documents', 'columns', name)}: the path brings ${show(name)} already; give one of them another name.`,
      ),
    ...Object.entries(OF_RECORDS)
      .filter(([name, schema]) => isRecord(load[name]) && !isDefaults(load[name], schema.parse({})))
      .map(([name]) => `${where(name)}: has no effect with documents, where each file is one row.`),
  ];
}

/** A job that is resolved already has them all. */
function isDefault(value: unknown): boolean {
  return value === 'utf8' || (isRecord(value) && Object.keys(value).length === 0);
}

function isDefaults(given: Raw, defaults: Raw): boolean {
  return Object.entries(given).every(
    ([name, value]) => JSON.stringify(value) === JSON.stringify(defaults[name]),
  );
}
