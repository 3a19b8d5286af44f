import { show } from './job-problems.ts';
import { isRecord } from './json-path.ts';
import { fragmentProblem } from './sql-fragment.ts';

type Raw = Readonly<Record<string, unknown>>;
type Where = (...steps: (string | number)[]) => string;

/** Further tables of a load: `ofTable` finds what contradicts itself in any table that takes rows. */
export function targetProblems(
  load: Raw,
  where: Where,
  ofTable: (target: Raw, where: Where) => string[],
): string[] {
  const targets = Array.isArray(load['targets']) ? (load['targets'] as unknown[]) : [];
  if (targets.length === 0) return [];
  return [
    ...targets.flatMap((target, index) => {
      if (!isRecord(target)) return [];
      const here: Where = (...steps) => where('targets', index, ...steps);
      return [...ofTable(target, here), ...conditionProblems(target['where'], here)];
    }),
    ...tablesTwice(load, targets, where),
    ...alone(load, where),
  ];
}

function conditionProblems(condition: unknown, where: Where): string[] {
  // Another type is the schema's to refuse.
  if (typeof condition !== 'string' || condition === '') return [];
  const problem = fragmentProblem(condition);
  return problem === null
    ? []
    : [`${where('where')}: ${show(condition)} cannot be used: ${problem}.`];
}

function tablesTwice(load: Raw, targets: readonly unknown[], where: Where): string[] {
  const names = [load, ...targets].map((one) => (isRecord(one) ? one['table'] : undefined));
  return names.flatMap((name, place) =>
    name !== undefined && names.indexOf(name) < place
      ? [
          `${where('targets', place - 1, 'table')}: ${show(name)} takes the rows already; a row goes to each table once.`,
        ]
      : [],
  );
}

/** What only a load into one table can do. */
function alone(load: Raw, where: Where): string[] {
  if (load['strategy'] !== 'partitioned') return [];
  return [
    `${where('strategy')}: "partitioned" writes one table, and targets names more; take another strategy, or auto.`,
  ];
}
