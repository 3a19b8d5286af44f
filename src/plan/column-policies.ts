import { EtlError, type ErrorRecord } from '../errors.ts';
import { didYouMean } from '../job/nearest-name.ts';
import type { LoadRequest } from '../job/schema.ts';
import { matchName } from './match-name.ts';
import type { FilePlan, LoadPlan } from './plan-types.ts';
import { throwProblems } from './problems.ts';
import type { Target } from './target-table.ts';

/** As the table spells the columns; nothing where the job names none. */
export type ColumnPolicies = Pick<LoadPlan, 'insertOnly' | 'compare'>;

type Request = Pick<LoadRequest, 'insertOnly' | 'compare'>;
type Place = Pick<Target, 'planned' | 'key' | 'versionColumn'>;

/**
 * The columns that a load writes once, and those that say whether a row has changed. All that is
 * wrong with them is told together.
 *
 * Each file must bring one of the compared columns at least: the rows of another could never change
 * a row, which nobody means. Where a file brings some of them, these are compared.
 */
export function columnPolicies(
  request: Request,
  target: Place,
  files: readonly FilePlan[],
): ColumnPolicies {
  const problems: ErrorRecord[] = [];
  const insertOnly = namedColumns('insertOnly', request.insertOnly ?? [], target, problems);
  const compare = namedColumns('compare', request.compare ?? [], target, problems);
  const both = compare.filter((name) => insertOnly.includes(name));
  problems.push(
    ...both.map((name) =>
      problem(target, name, 'is in insertOnly and in compare', 'Leave it out of one of them.'),
    ),
    ...comparesNothing(compare, target, files),
  );
  throwProblems(problems, 'the columns that are named for the merge');
  return {
    ...(insertOnly.length === 0 ? {} : { insertOnly }),
    ...(compare.length === 0 ? {} : { compare }),
  };
}

/** Whether the rows of a key that lose to a later one say something of the table all the same. */
export function needsAllRows({ insertOnly, compare }: Request): boolean {
  return insertOnly !== null || compare !== null;
}

function namedColumns(
  setting: keyof Request,
  wanted: readonly string[],
  target: Place,
  problems: ErrorRecord[],
): string[] {
  const { planned, key, versionColumn } = target;
  const names = planned.columns.map((column) => column.name);
  const found = wanted.flatMap((one) => {
    const name = matchName(one, names);
    if (name === null) {
      const hint = didYouMean(one, names);
      problems.push(
        new EtlError(
          'ETL_COLUMN_MISSING',
          `${planned.sqlName} has no column "${one}", which ${setting} names.${hint}`,
          `The columns: ${names.join(', ')}.`,
          { table: planned.sqlName, column: one },
        ).record,
      );
      return [];
    }
    if (key.includes(name)) {
      const why = `is a column of the key, which ${setting} cannot name: rows of one key agree in it`;
      problems.push(problem(target, name, why, `Leave it out of ${setting}.`));
    } else if (setting === 'insertOnly' && name === versionColumn) {
      const why = 'is the version column, which changes with each newer row';
      problems.push(problem(target, name, why, 'Leave it out of insertOnly.'));
    }
    return [name];
  });
  return [...new Set(found)];
}

function comparesNothing(
  compare: readonly string[],
  target: Place,
  files: readonly FilePlan[],
): ErrorRecord[] {
  if (compare.length === 0) return [];
  const file = files.find(
    ({ skip, targets }) => skip === null && !targets.some((name) => compare.includes(name ?? '')),
  );
  if (file === undefined) return [];
  return [
    new EtlError(
      'ETL_COLUMN_MISSING',
      `It brings none of the columns that compare names (${compare.join(', ')}), so it could never change a row.`,
      'Name a column that each file has, or give the file a load of its own.',
      { file: file.name, table: target.planned.sqlName },
    ).record,
  ];
}

function problem({ planned }: Place, column: string, why: string, remedy: string): ErrorRecord {
  const facts = { table: planned.sqlName, column };
  return new EtlError('ETL_USAGE', `It ${why}.`, remedy, facts).record;
}
