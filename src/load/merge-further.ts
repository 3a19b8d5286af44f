import { assert } from '../assert.ts';
import type { Connection } from '../target/connect.ts';
import type { TargetCounts } from '../target/counts.ts';
import { merge } from '../target/merge.ts';
import { countStagedRows } from '../target/staged-rows.ts';
import type { StagingTable } from '../target/staging.ts';
import { tablesOf, type LoadTable } from './load-tables.ts';
import { tableChanged } from './table-changed.ts';
import type { LoadTask } from './unit-task.ts';

/**
 * Merges what is staged into the further tables of the load, one after another, inside the
 * transaction in which the load's own table has taken it. `file`: only rows of this file; null: all.
 * `stagedRows`: of those, so many are staged.
 *
 * A row is read and staged once, however many tables take it: 200,000 profiles of JSON Lines, 54 MB,
 * appended to one table and added to another with `ignore`, CPU seconds of client + server: 3.0 + 1.5,
 * and as two loads 4.1 + 1.3 (where the append goes into its table without staging).
 */
export async function mergeFurther(
  connection: Connection,
  load: LoadTask,
  staging: StagingTable | null,
  file: number | null,
  stagedRows: number,
): Promise<TargetCounts[]> {
  if (staging === null || stagedRows === 0) return (load.further ?? []).map(() => ({ ...NONE }));
  const counts: TargetCounts[] = [];
  for (const table of tablesOf(load, staging).slice(1)) {
    counts.push(await mergeInto(connection, table, file, stagedRows));
  }
  return counts;
}

async function mergeInto(
  connection: Connection,
  { target, sqlName, countRows, staging }: LoadTable,
  file: number | null,
  stagedRows: number,
): Promise<TargetCounts> {
  const source = { tables: [staging], file, owner: null };
  try {
    const rows =
      staging.where === undefined ? stagedRows : await countStagedRows(connection, target, source);
    const options = { countRows, stagedRows: rows };
    const { inserted, updated, unchanged } = await merge(connection, target, source, options);
    const superseded = rows - inserted - updated - unchanged;
    assert(superseded >= 0, 'a merge does not count more rows than were staged');
    return { inserted, updated, unchanged, superseded, filtered: stagedRows - rows };
  } catch (error) {
    throw tableChanged(error, sqlName);
  }
}

const NONE: TargetCounts = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, filtered: 0 };

/** Table by table; null where those of one merge are not known. */
export function sumTargets(
  further: number,
  merges: readonly (readonly TargetCounts[] | null | undefined)[],
): readonly TargetCounts[] | null {
  if (merges.some((counts) => counts == null)) return null;
  return Array.from({ length: further }, (_, table) => {
    const sum: Record<keyof TargetCounts, number> = { ...NONE };
    for (const counts of merges) {
      for (const name of Object.keys(sum) as (keyof TargetCounts)[]) {
        sum[name] += counts?.[table]?.[name] ?? 0;
      }
    }
    return sum;
  });
}
