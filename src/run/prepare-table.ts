import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { Connection } from '../target/connect.ts';
import { readTable } from '../target/read-table.ts';
import type { TargetTable } from '../target/table.ts';

/** Creates the table where the plan says so, and makes sure that it is the one that was planned. */
export async function prepareTable(
  coordinator: Connection,
  load: Pick<LoadPlan, 'table'>,
  onCreated: (ddl: string) => void,
): Promise<TargetTable> {
  const { table: planned } = load;
  if (planned.create !== null) {
    await create(coordinator, planned.create, planned.sqlName);
    onCreated(planned.create);
  }
  const table = await readTable(coordinator, planned);
  if (table === null || (planned.oid !== null && table.oid !== planned.oid)) {
    throw stale(`Table ${planned.sqlName} was dropped`, planned.sqlName);
  }
  const types = new Map(table.columns.map((column) => [column.name, column.type.declared]));
  for (const { name, type } of planned.columns) {
    // Types of a table that is created are spelled by the server in its own way.
    if (planned.create === null && types.get(name) !== type.declared) {
      throw stale(`Column "${name}" of ${planned.sqlName} was changed`, planned.sqlName);
    }
  }
  return table;
}

/** The same tables, which exist, as somebody else may have left them. */
export async function prepareAgain(
  coordinator: Connection,
  { table, targets = [] }: LoadPlan,
  found: readonly TargetTable[],
): Promise<TargetTable[]> {
  const again: TargetTable[] = [];
  for (const [place, planned] of [table, ...targets.map((target) => target.table)].entries()) {
    const { oid } = present(found[place], 'a table that was prepared');
    const same = { ...planned, create: null, oid };
    again.push(await prepareTable(coordinator, { table: same }, () => undefined));
  }
  return again;
}

/**
 * duplicate_table, duplicate_schema and duplicate_object; and the unique_violation of the catalog's
 * own indexes, where somebody is about to commit the same.
 */
const EXISTS_SQL_STATES: ReadonlySet<string> = new Set(['42P07', '42P06', '42710', '23505']);

async function create(coordinator: Connection, ddl: string, sqlName: string): Promise<void> {
  try {
    await coordinator.query(ddl);
  } catch (error) {
    const state = error instanceof EtlError ? (error.record.facts.sqlState ?? '') : '';
    const exists = EXISTS_SQL_STATES.has(state);
    throw exists ? stale(`Table ${sqlName} was created by somebody else`, sqlName) : error;
  }
}

function stale(what: string, table: string): EtlError {
  return new EtlError('ETL_PLAN_STALE', `${what} since the load was planned.`, 'Run again.', {
    table,
  });
}
