import type { LoadPlan } from '../../plan/plan-types.ts';
import type { Tolerance } from '../../target/compare-keys.ts';

/** Loads of a job that are verified together: they write the same rows of one table. */
export interface Comparison {
  /** In the order of the job. */
  readonly loads: readonly LoadPlan[];
  /** Whether other loads of the job write the same table by another key. */
  readonly shared: boolean;
}

/** What a later load of the job writes over an earlier one is the reference's, too. */
export function comparisonsOf(loads: readonly LoadPlan[]): Comparison[] {
  const groups = new Map<string, LoadPlan[]>();
  for (const load of loads) {
    const name = JSON.stringify([load.table.schema, load.table.name, load.key]);
    groups.set(name, [...(groups.get(name) ?? []), load]);
  }
  const all = [...groups.values()];
  const tableOf = (group: readonly LoadPlan[]): string => group[0]?.table.sqlName ?? '';
  return all.map((group) => ({
    loads: group,
    shared: all.some((other) => other !== group && tableOf(other) === tableOf(group)),
  }));
}

/**
 * Which rows a table held before its loads is written nowhere. `update` overwrote them, so every
 * key of the files must have the files' values. With `ignore` such a row stayed, and with `newest`
 * it did where it was newer: so other values of a key are no proof of a difference, unless the
 * table is known to hold nothing but these files.
 */
export function toleranceOf({ loads }: Comparison, wholeTable: boolean): Tolerance {
  if (wholeTable) return { kept: false, newerBy: [], others: false };
  const versions = loads.flatMap((load) =>
    load.onConflict === 'newest' && load.versionColumn !== null ? [load.versionColumn] : [],
  );
  return {
    kept: loads.some((load) => load.onConflict === 'ignore'),
    newerBy: [...new Set(versions)],
    others: true,
  };
}
