import { present } from '../assert.ts';
import type { FurtherTask } from '../load/further-task.ts';
import { withPlannedLookups } from '../plan/lookup-columns.ts';
import type { LoadPlan, Plan } from '../plan/plan-types.ts';
import type { Connection } from '../target/connect.ts';
import type { LedgerContext } from '../target/ledger.ts';
import type { TargetTable } from '../target/table.ts';
import { holdTable } from './hold-table.ts';
import { coupledBy } from './load-task.ts';
import { prepareTable } from './prepare-table.ts';
import type { RunContext } from './run-context.ts';

/** The further tables of a load (see plan/plan-targets.ts), made ready; none for most loads. */
export async function prepareFurther(
  coordinator: Connection,
  { targets = [] }: LoadPlan,
  onCreated: (ddl: string) => void,
): Promise<TargetTable[]> {
  const tables: TargetTable[] = [];
  for (const target of targets) tables.push(await prepareTable(coordinator, target, onCreated));
  return tables;
}

/** Two runs that share any table exclude each other: all lock in one order, and none waits in a ring. */
export async function holdTables(
  context: RunContext,
  tables: readonly TargetTable[],
  index: number,
): Promise<{ readonly waited: boolean }> {
  let waited = false;
  for (const table of tables.toSorted((a, b) => a.oid - b.oid)) {
    const held = await holdTable(context, table, index);
    waited ||= held.waited;
  }
  return { waited };
}

/** `tables`: in the order of the plan. */
export function furtherTasks(
  plan: Plan,
  { targets, files }: LoadPlan,
  tables: readonly TargetTable[],
): { readonly further?: readonly FurtherTask[] } {
  if (targets === undefined) return {};
  const further = targets.map(
    ({ table: planned, key, onConflict, versionColumn, where }, index) => {
      const table = present(tables[index], 'a further table');
      return {
        target: {
          schema: table.schema,
          name: table.name,
          ...(table.inherited === true ? { inherited: true as const } : {}),
          columns: withPlannedLookups(table.columns, planned).map((column) =>
            key.includes(column.name) ? { ...column, notNull: true } : column,
          ),
          ...coupledBy(
            plan,
            { existing: table, planned, key },
            files.map((file) => ({ ...file, targets: file.further?.[index] ?? [] })),
          ),
          ...{ key, onConflict, versionColumn },
        },
        sqlName: table.sqlName,
        countRows: table.rowTriggers.length > 0,
        where,
      };
    },
  );
  return { further };
}

/** For the ledger, which is written only while the tables bear these names. */
export function furtherNames(
  further: readonly TargetTable[],
): Pick<LedgerContext, 'furtherTables'> {
  if (further.length === 0) return {};
  return { furtherTables: further.map(({ oid, sqlName }) => ({ oid, name: sqlName })) };
}
