import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import type { LoadRequest } from '../job/schema.ts';
import { readable, tableNameOf } from '../target/names.ts';
import type { TargetTable } from '../target/table.ts';
import { chooseKey } from './choose-key.ts';
import type { DescribedFile } from './describe-files.ts';
import { matchName } from './match-name.ts';
import { planNewTable, type NewTable } from './new-table.ts';
import type { PlanContext } from './plan-context.ts';
import type { PlannedTable } from './plan-types.ts';

/** Where a load goes: a table that exists, or one that it creates. */
export interface Target {
  readonly planned: PlannedTable;
  /** Null where the table does not exist yet. */
  readonly existing: TargetTable | null;
  readonly key: readonly string[];
  /** As the table spells it; null unless the newest row is to win. */
  readonly versionColumn: string | null;
  readonly notices: readonly string[];
}

/** A table that an earlier load of the same plan creates. */
export interface CreatedTable {
  readonly table: PlannedTable;
  /** Its primary key; empty where it has none. */
  readonly key: readonly string[];
}

/** `created`: tables that earlier loads create, by their SQL name. */
export async function findTarget(
  request: LoadRequest,
  files: readonly DescribedFile[],
  created: ReadonlyMap<string, CreatedTable>,
  context: PlanContext,
): Promise<Target> {
  const name = tableNameOf(request.table);
  const existing = await context.catalog.readTable(name);
  if (existing !== null) return existingTarget(request, existing);
  const schema = name.schema ?? (await context.catalog.creationSchema());
  const earlier = created.get(readable(schema, name.name));
  const fresh =
    earlier === undefined
      ? await planNewTable(request, { schema, name: name.name }, files, context)
      : earlierTarget(request, earlier);
  const { table: planned, key, notices } = fresh;
  return { planned, existing: null, key, versionColumn: versionColumn(request, planned), notices };
}

function existingTarget(request: LoadRequest, existing: TargetTable): Target {
  const { oid, schema, name, sqlName, columns, estimatedRows, empty } = existing;
  // What is looked up has the type of what is found, where the table is made.
  const given = Object.keys(request.types).filter(
    (name) => !request.lookups.some(({ into }) => into === name),
  );
  return {
    planned: { schema, name, sqlName, oid, columns, create: null, estimatedRows, empty },
    existing,
    key: chooseKey(request, existing),
    versionColumn: versionColumn(request, existing),
    notices:
      given.length === 0
        ? []
        : [`${sqlName} exists, so the types given for ${given.join(', ')} change nothing.`],
  };
}

/** A load into a table that an earlier one creates: its primary key is all there is. */
function earlierTarget(request: LoadRequest, { table, key }: CreatedTable): NewTable {
  const primary = { name: `${table.name}_pkey`, columns: key, primary: true, arbiter: true };
  const { sqlName, columns } = table;
  const uniqueIndexes = key.length === 0 ? [] : [primary];
  return {
    table: { ...table, create: null, empty: false },
    key: chooseKey(request, { sqlName, columns, uniqueIndexes }),
    notices: [],
  };
}

function versionColumn(
  request: LoadRequest,
  table: Pick<PlannedTable, 'columns' | 'sqlName'>,
): string | null {
  if (request.onConflict !== 'newest') return null;
  const names = table.columns.map((column) => column.name);
  const name = request.versionColumn === null ? null : matchName(request.versionColumn, names);
  if (name !== null) return name;
  throw new EtlError(
    'ETL_USAGE',
    request.versionColumn === null
      ? 'The policy newest needs a column that says which row is newer.'
      : `${table.sqlName} has no column "${request.versionColumn}" to tell which row is newer.`,
    remedy`Name one of its columns with ${setting('versionColumn')}: ${names.join(', ')}.`,
    { table: table.sqlName },
  );
}
