import { present } from '../assert.ts';
import { setTables, type JointTable } from '../target/joint-staging.ts';
import type { MergeTarget } from '../target/merge-sql.ts';
import type { StagingTable } from '../target/staging.ts';
import type { TargetColumn } from '../target/table.ts';
import type { LoadTask } from './unit-task.ts';

/** One of the tables of a load, and the rows of a staging as it takes them. */
export interface LoadTable {
  readonly target: MergeTarget;
  readonly sqlName: string;
  readonly countRows: boolean;
  readonly staging: StagingTable;
}

type Tables = Pick<LoadTask, 'target' | 'sqlName' | 'countRows' | 'further'>;

/** What staging has to serve: the tables in the order of merging, then those of `lookups.set`. */
export function jointTables(load: Tables): JointTable[] {
  const { target, further = [] } = load;
  return [
    { columns: target.columns, where: null },
    ...further.map((one) => ({ columns: one.target.columns, where: one.where })),
    ...setTables(columnsOfTables(load)),
  ];
}

/** The columns of each table that takes the rows, in the order of merging. */
export function columnsOfTables({ target, further = [] }: Tables): (readonly TargetColumn[])[] {
  return [target.columns, ...further.map((one) => one.target.columns)];
}

/** In the order of merging, the load's own table first. */
export function tablesOf(load: Tables, staging: StagingTable): LoadTable[] {
  const { target, sqlName, countRows, further = [] } = load;
  return [
    { target, sqlName, countRows, staging },
    ...further.map((one, index) => ({
      target: one.target,
      sqlName: one.sqlName,
      countRows: one.countRows,
      staging: present(staging.views?.[index], `the view of ${one.sqlName}`),
    })),
  ];
}
