import { EtlError } from '../errors.ts';
import { couplingsOf, enforces } from '../plan/couplings.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { TargetTable } from '../target/table.ts';

/**
 * A unique index or a trigger that was made after the load was planned (while it waited for another
 * run, by an earlier load of the same run): the plan may let files merge in any order, which it did
 * since nothing tied their rows together. And a key that lost its index since: rows that look new are
 * written without ON CONFLICT, and nothing would refuse those that come twice.
 *
 * @param tables as they are, in the order of the plan: the load's own first
 * @throws EtlError ETL_PLAN_STALE
 */
export function refuseCoupled(load: LoadPlan, tables: readonly TargetTable[]): void {
  const planned = new Set(load.couplings.map(({ kind, name }) => `${kind} ${name}`));
  const { targets = [] } = load;
  tables.forEach((existing, place) => {
    const further = targets[place - 1];
    const { key, table } = further ?? load;
    if (key.length > 0 && !existing.uniqueIndexes.some((index) => enforces(index, key))) {
      throw stale(existing, `it has no unique index of exactly ${key.join(', ')} any more`);
    }
    const files =
      further === undefined
        ? load.files
        : load.files.map((file) => ({ ...file, targets: file.further?.[place - 1] ?? [] }));
    const found = couplingsOf({ existing, planned: table, key }, files);
    const fresh = found.find(({ kind, name }) => !planned.has(`${kind} ${name}`));
    if (fresh !== undefined) throw stale(existing, fresh.sentence);
  });
}

function stale({ sqlName }: TargetTable, what: string): EtlError {
  return new EtlError(
    'ETL_PLAN_STALE',
    `${sqlName} was altered since the load was planned: ${what}.`,
    'Run again: the load is planned for the table as it is.',
    { table: sqlName },
  );
}
