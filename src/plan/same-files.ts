import { EtlError } from '../errors.ts';
import { ledgerPath } from '../source/ledger-path.ts';
import type { LoadPlan } from './plan-types.ts';

/**
 * A run loads a file into a table once: the ledger, which must tell what has become of a commit that
 * nobody answered, knows a file of a run by its table and its path. A second load of it would find that
 * the run has it already, and bring nothing.
 *
 * @throws EtlError ETL_USAGE where two loads bring the same file into one table
 */
export function refuseSameFiles(loads: readonly Pick<LoadPlan, 'table' | 'files'>[]): void {
  if (loads.length < 2) return;
  const first = new Map<string, number>();
  loads.forEach(({ table, files }, load) => {
    for (const file of files) {
      const place = JSON.stringify([table.sqlName, ledgerPath(file)]);
      const earlier = first.get(place) ?? load;
      first.set(place, earlier);
      if (earlier === load) continue;
      throw new EtlError(
        'ETL_USAGE',
        `Loads ${earlier + 1} and ${load + 1} of the job both bring the file into ${table.sqlName}, and a run loads a file into a table once.`,
        'Make a job of each of them, and run one after the other.',
        { file: file.name, table: table.sqlName },
      );
    }
  });
}
