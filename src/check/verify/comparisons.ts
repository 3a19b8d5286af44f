import type { LoadPlan } from '../../plan/plan-types.ts';
import type { Tolerance } from '../../target/compare-keys.ts';
import type { TargetColumn } from '../../target/table.ts';

/** A load as one table sees it. */
export interface VerifiedLoad extends LoadPlan {
  /** The table under which the ledger keeps its files: that of the load, also for a further one. */
  readonly ledgerOid: number | null;
  /** Name of the further table; null: it is the load's own. */
  readonly further: string | null;
}

/**
 * Each further table of a load is as a load of its own would leave it. One that takes some rows only
 * is not compared: the reference knows no condition.
 */
export function loadsByTable(loads: readonly LoadPlan[]): VerifiedLoad[] {
  return loads.flatMap((load) => [
    { ...load, ledgerOid: load.table.oid, further: null },
    ...furtherOf(load),
  ]);
}

function furtherOf(load: LoadPlan): VerifiedLoad[] {
  // Column policies are of the load's own table.
  const own: { -readonly [Name in keyof LoadPlan]: LoadPlan[Name] } = { ...load, targets: [] };
  delete own.insertOnly;
  delete own.compare;
  return (load.targets ?? []).flatMap(({ table, key, onConflict, versionColumn, where }, index) => {
    if (where !== null) return [];
    const files = load.files.map((file) => ({ ...file, targets: file.further?.[index] ?? [] }));
    const ledgerOid = load.table.oid;
    const further = table.sqlName;
    return [{ ...own, table, key, onConflict, versionColumn, files, ledgerOid, further }];
  });
}

/** Loads of a job that are verified together: they write the same rows of one table. */
export interface Comparison {
  /** In the order of the job. */
  readonly loads: readonly VerifiedLoad[];
  /** Whether other loads of the job write the same table by another key. */
  readonly shared: boolean;
}

/** What a later load of the job writes over an earlier one is the reference's, too. */
export function comparisonsOf(loads: readonly VerifiedLoad[]): Comparison[] {
  const groups = new Map<string, VerifiedLoad[]>();
  for (const load of loads) {
    const name = JSON.stringify([load.table.schema, load.table.name, load.key]);
    groups.set(name, [...(groups.get(name) ?? []), load]);
  }
  const all = [...groups.values()];
  const tableOf = (group: readonly VerifiedLoad[]): string => group[0]?.table.sqlName ?? '';
  return all.map((group) => ({
    loads: group,
    shared: all.some((other) => other !== group && tableOf(other) === tableOf(group)),
  }));
}

/**
 * The columns of which the files alone say what they hold. A row that was there before the loads
 * keeps its values of `insertOnly`; and with `compare`, those of all columns that are not compared.
 */
export function certainColumns(
  { loads }: Comparison,
  columns: readonly TargetColumn[],
  wholeTable: boolean,
): readonly TargetColumn[] {
  if (wholeTable) return columns;
  return columns.filter(({ name }) =>
    loads.every(
      ({ key, insertOnly, compare }) =>
        key.includes(name) ||
        (insertOnly?.includes(name) !== true && compare?.includes(name) !== false),
    ),
  );
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
