import type { IndexPlan, LoadPlan } from '../plan/plan-types.ts';
import type { IndexReport, LoadReport } from './report-types.ts';

/** How an index was made. */
export interface IndexBuild {
  readonly concurrently: boolean;
  /** Null where it was made in one go with others. */
  readonly ms: number | null;
}

/**
 * What the report says of the indexes that the load asks for; nothing where it asks for none.
 * `builds`: by name; null where somebody else has made it since the load was planned.
 */
export function indexReports(
  { indexes = [] }: Pick<LoadPlan, 'indexes'>,
  builds: ReadonlyMap<string, IndexBuild | null>,
): Pick<LoadReport, 'indexes'> {
  if (indexes.length === 0) return {};
  return { indexes: indexes.map((index) => indexReport(index, builds.get(index.name))) };
}

function indexReport(
  { name, definition, unique, there }: IndexPlan,
  build: IndexBuild | null | undefined,
): IndexReport {
  const what = { name: there ?? name, definition, unique };
  if (there !== null || build === null) {
    return { ...what, status: 'existing', concurrently: null, ms: null };
  }
  if (build === undefined) return { ...what, status: 'not-built', concurrently: null, ms: null };
  return { ...what, status: 'built', ...build };
}
