import type { LoadRequest } from '../job/schema.ts';
import type { TransformSource } from '../source/source-file.ts';
import type { DescribedFile } from './describe-files.ts';
import { refuseUnused, withLookupColumns, withLookups } from './lookup-columns.ts';
import type { PlanContext } from './plan-context.ts';
import { planLookups, type PlannedLookup } from './plan-lookups.ts';
import { findFurther, type FurtherTarget } from './plan-targets.ts';
import { withTransformTypes } from './plan-transform.ts';
import { findTarget, type CreatedTable, type Target } from './target-table.ts';

/** The tables that the rows of a load go to, and what is looked up for them. */
export interface FoundTables {
  /** The load's own. */
  readonly target: Target;
  readonly further: readonly FurtherTarget[];
  readonly lookups: readonly PlannedLookup[];
  /** The request as if the files brought what is looked up. */
  readonly asked: LoadRequest;
}

/** Finds them, or says how those that are missing will be created. */
export async function findTables(
  request: LoadRequest,
  described: readonly DescribedFile[],
  transform: TransformSource | null,
  created: ReadonlyMap<string, CreatedTable>,
  context: PlanContext,
): Promise<FoundTables> {
  const lookups = await planLookups(request, described, created, context);
  const asked = withLookupColumns(withTransformTypes(request, transform), lookups);
  const target = withLookups(await findTarget(asked, described, created, context), lookups);
  const values = { lookups, transform };
  const further = await findFurther(request, described, created, context, values);
  const tables = { target, further, lookups, asked };
  refuseUnused(lookups, targetsOf(tables));
  return tables;
}

/** All tables, the load's own first. */
export function targetsOf({
  target,
  further,
}: Pick<FoundTables, 'target' | 'further'>): readonly Target[] {
  return [target, ...further.map((one) => one.target)];
}
