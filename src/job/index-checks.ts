import { show } from './job-problems.ts';
import { isRecord } from './json-path.ts';
import { fragmentProblem } from './sql-fragment.ts';

type Where = (...steps: (string | number)[]) => string;
type Raw = Readonly<Record<string, unknown>>;

/** What contradicts itself in the `indexes` of a load, as they were written. */
export function indexProblems(load: Raw, where: Where): string[] {
  const indexes = Array.isArray(load['indexes']) ? (load['indexes'] as unknown[]) : [];
  const names = indexes.map((index): unknown => (isRecord(index) ? (index['name'] ?? null) : null));
  return indexes.flatMap((index, place) => {
    if (!isRecord(index)) return [];
    const here = (...steps: (string | number)[]) => where('indexes', place, ...steps);
    const twice = names[place] !== null && names.indexOf(names[place]) < place;
    return [
      ...(twice ? [`${here('name')}: ${show(names[place])} is the name of another index.`] : []),
      ...fragmentProblems(index, here),
      ...methodProblems(index, here),
    ];
  });
}

function fragmentProblems(index: Raw, here: Where): string[] {
  const columns = Array.isArray(index['columns']) ? (index['columns'] as unknown[]) : [];
  const told = (where: string, text: unknown): string[] => {
    // Another type is the schema's to refuse.
    if (typeof text !== 'string' || text === '') return [];
    const problem = fragmentProblem(text);
    return problem === null ? [] : [`${where}: ${show(text)} cannot be used: ${problem}.`];
  };
  return [
    ...columns.flatMap((column, place) =>
      // A name is quoted, whatever it holds; only an expression stands as it is.
      isExpression(column) ? told(here('columns', place), column) : [],
    ),
    ...told(here('where'), index['where']),
  ];
}

/** What is not the name of a column alone. */
export function isExpression(column: unknown): boolean {
  return typeof column === 'string' && column.includes('(');
}

function methodProblems(index: Raw, here: Where): string[] {
  const method = index['method'] ?? 'btree';
  if (index['unique'] !== true || method === 'btree') return [];
  return [`${here('unique')}: an index of method ${show(method)} cannot be unique.`];
}
