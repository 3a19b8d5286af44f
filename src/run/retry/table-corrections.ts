import { present } from '../../assert.ts';
import { tablesOf } from '../../load/load-tables.ts';
import { tableChanged } from '../../load/table-changed.ts';
import type { LoadTask } from '../../load/unit-task.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import {
  allCorrections,
  beginCorrections,
  keepAll,
  type Corrections,
} from '../../target/corrections.ts';
import { replaceLater } from '../../target/corrections-in-order.ts';
import type { MergeCounts, TargetCounts } from '../../target/counts.ts';
import { merge } from '../../target/merge.ts';
import { countStagedRows } from '../../target/staged-rows.ts';
import type { StagingTable } from '../../target/staging.ts';

/** The corrected rows as one table of the load takes them, of which each loses others. */
export interface TableCorrections extends Corrections {
  /** Of the table among those of the load, its own first. */
  readonly place: number;
  readonly sqlName: string;
  readonly countRows: boolean;
}

/** For each table of the load, in the order of merging. */
export async function beginTables(
  connection: Connection,
  load: LoadTask,
  staged: StagingTable,
): Promise<TableCorrections[]> {
  await keepAll(connection, staged);
  const tables: TableCorrections[] = [];
  for (const [place, table] of tablesOf(load, staged).entries()) {
    const { target, sqlName, countRows, staging } = table;
    const begun = await beginCorrections(connection, target, staging, place);
    tables.push({ ...begun, place, sqlName, countRows });
  }
  return tables;
}

/** What the table takes of staged rows. */
export function viewOf({ place }: TableCorrections, staging: StagingTable): StagingTable {
  return place === 0 ? staging : present(staging.views?.[place - 1], 'the view of a further table');
}

/** Columns of the table that the file brings. */
export function columnsBrought(
  { place }: Pick<TableCorrections, 'place'>,
  { targets, further = [] }: FilePlan,
): ReadonlySet<string> {
  const mapping = place === 0 ? targets : present(further[place - 1], 'a further table');
  return new Set(mapping.flatMap((name) => name ?? []));
}

/** Writes the rows that have not lost. `began`: by place of the file; see Quarantine. */
export async function mergeLeft(
  connection: Connection,
  { target, table, later, countRows }: TableCorrections,
  began: ReadonlyMap<number, string>,
): Promise<MergeCounts> {
  const replaced =
    target.onConflict === 'ignore'
      ? await replaceLater(connection, { target, table, later }, began)
      : 0;
  const source = { tables: [table], file: null, owner: null };
  const stagedRows = await countStagedRows(connection, target, source);
  if (stagedRows === 0) return { inserted: 0, updated: replaced, unchanged: 0 };
  const merged = await merge(connection, target, source, { countRows, stagedRows });
  return { ...merged, updated: merged.updated + replaced };
}

/** The same for further tables; a row that its condition leaves out is counted, too. */
export async function mergeLeftFurther(
  connection: Connection,
  staged: StagingTable,
  tables: readonly TableCorrections[],
  began: ReadonlyMap<number, string>,
): Promise<TargetCounts[]> {
  const all = allCorrections(staged);
  const counts: TargetCounts[] = [];
  for (const table of tables) {
    const { target, sqlName } = table;
    const count = (view: StagingTable): Promise<number> =>
      countStagedRows(connection, target, { tables: [view], file: null, owner: null });
    const taken = await count(viewOf(table, all));
    const merged = await mergeLeft(connection, table, began).catch((error: unknown) => {
      throw tableChanged(error, sqlName);
    });
    const { inserted, updated, unchanged } = merged;
    const superseded = taken - inserted - updated - unchanged;
    counts.push({ ...merged, superseded, filtered: (await count(all)) - taken });
  }
  return counts;
}
