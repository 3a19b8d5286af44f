import { jointLayoutKey } from '../target/joint-staging.ts';
import type { Coupling, TargetColumn } from '../target/table.ts';
import { couplingsOf } from './couplings.ts';
import type { SeveralTables } from './decide-load.ts';
import type { PlanContext } from './plan-context.ts';
import { tablesInStaging, type FurtherTarget } from './plan-targets.ts';
import type { FilePlan } from './plan-types.ts';
import type { Target } from './target-table.ts';

/** What the choice of a strategy is to know of it; null where there is no further table. */
export async function severalTables(
  own: Target,
  further: readonly FurtherTarget[],
  files: readonly FilePlan[],
  context: Pick<PlanContext, 'catalog'>,
): Promise<SeveralTables | null> {
  if (further.length === 0) return null;
  await checkConditions(own, further, files, context);
  const tables = tablesInStaging(own, further);
  return {
    keyed: [own, ...further.map(({ target }) => target)].some(({ key }) => key.length > 0),
    layoutKey: (file) => jointLayoutKey(tables, file),
    couplings: await furtherCouplings(own, further, files, context),
  };
}

/**
 * What couples rows in the further tables, and rows of different tables: a row of one unit of work
 * may need the row of another table that an earlier unit brings.
 */
async function furtherCouplings(
  own: Target,
  further: readonly FurtherTarget[],
  files: readonly FilePlan[],
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<readonly Coupling[]> {
  const ofTables = further.flatMap(({ target }, index) => {
    const mapped = files.map((file) => ({ ...file, targets: file.further?.[index] ?? [] }));
    return couplingsOf(target, mapped);
  });
  const oids = [own, ...further.map(({ target }) => target)].flatMap(
    ({ planned }) => planned.oid ?? [],
  );
  const references = oids.length < 2 ? [] : await catalog.foreignKeysBetween(oids);
  const between = references.map((name) => ({
    kind: 'foreign key' as const,
    name,
    sentence: `foreign key ${name} between tables of the load could make the order matter`,
  }));
  return [...ofTables, ...between];
}

/** Conditions are tried on no row, so that a mistake is found before anything is loaded. */
async function checkConditions(
  own: Target,
  further: readonly FurtherTarget[],
  files: readonly FilePlan[],
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<void> {
  const loaded = files.filter((file) => file.skip === null);
  if (loaded.length === 0) return;
  for (const [index, { request, target }] of further.entries()) {
    if (request.where === null) continue;
    const there = broughtByAll(
      target.planned.columns,
      loaded.map((file) => file.further?.[index] ?? []),
    );
    const first = broughtByAll(
      own.planned.columns,
      loaded.map((file) => file.targets),
    );
    const others = first.filter(({ name }) => !there.some((column) => column.name === name));
    await catalog.checkCondition([...there, ...others], request.where, target.planned.sqlName);
  }
}

/** A column that some file lacks has no value there for the condition to look at. */
function broughtByAll(
  columns: readonly TargetColumn[],
  mappings: readonly (readonly (string | null)[])[],
): TargetColumn[] {
  return columns.filter(({ name }) => mappings.every((targets) => targets.includes(name)));
}
