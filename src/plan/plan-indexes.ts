import { EtlError, type ErrorRecord } from '../errors.ts';
import type { IndexRequest } from '../job/index-schema.ts';
import type { FoundIndex, IndexSpec } from '../target/indexes.ts';
import { indexSpecs } from './index-specs.ts';
import type { PlanContext } from './plan-context.ts';
import type { IndexPlan, LoadPlan } from './plan-types.ts';
import { throwProblems } from './problems.ts';
import type { Target } from './target-table.ts';

/** The indexes that a load asks for, and which of them are there. */
export async function planIndexes(
  requests: readonly IndexRequest[],
  { planned: table, existing }: Pick<Target, 'planned' | 'existing'>,
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<IndexPlan[]> {
  if (requests.length === 0) return [];
  const where = `the indexes of ${table.sqlName}`;
  const problems: ErrorRecord[] = [];
  const specs = indexSpecs(requests, table, problems);
  throwProblems(problems, where);
  const found = await catalog.findIndexes(table, specs);
  const indexes = specs.map((spec, place): IndexPlan => {
    const { definition, there, taken } = found[place] as FoundIndex;
    if (there === null && taken !== null) problems.push(nameTaken(spec, taken, table.sqlName));
    return { ...spec, definition, there };
  });
  throwProblems(problems, where);
  const missing = indexes.find((index) => index.there === null);
  if (missing !== undefined && existing !== null) {
    const { owned } = await catalog.indexRights(existing);
    if (!owned) throw notOwned(missing, table.sqlName);
  }
  return indexes;
}

/** Indexes that the run is to make. */
export function missingIndexes({ indexes = [] }: Pick<LoadPlan, 'indexes'>): readonly IndexPlan[] {
  return indexes.filter((index) => index.there === null);
}

/** What people should know of them before the load. */
export function indexNotices(indexes: readonly IndexPlan[]): string[] {
  return indexes
    .filter((index) => index.unique && index.there === null)
    .map(
      ({ name }) =>
        `The unique index ${name} is made once the rows are loaded: rows that it refuses stay in the table, and the index is then not made.`,
    );
}

function nameTaken({ name }: IndexSpec, taken: string, table: string): ErrorRecord {
  return new EtlError(
    'ETL_USAGE',
    `The index ${name} of ${table} cannot be made: its name is that of ${taken}.`,
    'Give it another name, or none.',
    { table },
  ).record;
}

function notOwned({ name }: IndexSpec, table: string): EtlError {
  return new EtlError(
    'ETL_PRIVILEGE',
    `The index ${name} is missing, and only the owner of ${table} may make it.`,
    'Let the owner make it, or load as a role that is a member of the owner.',
    { table },
  );
}
