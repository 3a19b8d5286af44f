import { EtlError } from '../errors.ts';
import { didYouMean } from '../job/nearest-name.ts';
import type { LookupRequest } from '../job/lookup-schema.ts';
import type { LoadRequest } from '../job/schema.ts';
import { readable, tableNameOf } from '../target/names.ts';
import type { ColumnLookup, TargetColumn, TargetTable, TargetType } from '../target/table.ts';
import type { DescribedFile } from './describe-files.ts';
import { matchName } from './match-name.ts';
import type { PlanContext } from './plan-context.ts';
import type { CreatedTable } from './target-table.ts';

/** A lookup whose table is known. */
export interface PlannedLookup {
  readonly request: LookupRequest;
  readonly lookup: ColumnLookup;
  /** Of the column whose value is taken. */
  readonly idType: TargetType;
}

/**
 * Finds the tables that columns of the files are looked up in. What they must have is checked here,
 * so that a load does not find out: a unique index on the matched column, since else a value could
 * have two ids and chance would choose; and what a row needs that is made of that value alone.
 */
export async function planLookups(
  request: Pick<LoadRequest, 'lookups' | 'targets'>,
  files: readonly DescribedFile[],
  created: ReadonlyMap<string, CreatedTable>,
  context: Pick<PlanContext, 'catalog'>,
): Promise<PlannedLookup[]> {
  const planned: PlannedLookup[] = [];
  // The views of further tables come before those of created rows.
  let view = request.targets.length;
  for (const asked of request.lookups) {
    for (const column of [asked.column, ...Object.values(asked.set)]) {
      refuseUnknownColumn(column, files);
    }
    planned.push(planLookup(asked, await findTable(asked, created, context), view));
    if (Object.keys(asked.set).length > 0) view += 1;
  }
  return planned;
}

type LookupTable = Pick<
  TargetTable,
  'schema' | 'name' | 'sqlName' | 'columns' | 'primaryKey' | 'uniqueIndexes'
>;

function refuseUnknownColumn(column: string, files: readonly DescribedFile[]): void {
  const known = [...new Set(files.flatMap((file) => file.columns))];
  if (known.includes(column)) return;
  throw new EtlError(
    'ETL_COLUMN_MISSING',
    `No file has a column "${column}", which lookups name.${didYouMean(column, known)}`,
    `The files' columns: ${known.join(', ')}.`,
    { column },
  );
}

async function findTable(
  { table, match }: LookupRequest,
  created: ReadonlyMap<string, CreatedTable>,
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<LookupTable> {
  const name = tableNameOf(table);
  const existing = await catalog.readTable(name);
  if (existing !== null) return existing;
  const sqlName = readable(name.schema ?? (await catalog.creationSchema()), name.name);
  const earlier = created.get(sqlName);
  if (earlier !== undefined) return createdTable(earlier);
  throw new EtlError(
    'ETL_TABLE_MISSING',
    `There is no table ${sqlName} to look values up in.`,
    `Check its name, or create it: create table ${sqlName} (id bigint generated always as identity primary key, ${readable(match)} text not null unique);`,
    { table: sqlName },
  );
}

/** Of a table that an earlier load of the plan creates, its primary key is all there is. */
function createdTable({ table, key }: CreatedTable): LookupTable {
  const primary = { name: `${table.name}_pkey`, columns: key, primary: true, arbiter: true };
  return {
    ...table,
    primaryKey: key.length === 0 ? null : key,
    uniqueIndexes: key.length === 0 ? [] : [primary],
  };
}

function planLookup(request: LookupRequest, table: LookupTable, view: number): PlannedLookup {
  const match = columnNamed(table, request.match);
  const unique = table.uniqueIndexes.some(
    ({ arbiter, columns }) => arbiter && columns.length === 1 && columns[0] === match.name,
  );
  if (!unique) {
    throw new EtlError(
      'ETL_KEY_INVALID',
      `No unique index of ${table.sqlName} has the column ${match.name} alone, so a value could be found twice.`,
      `Add one: create unique index on ${table.sqlName} (${readable(match.name)});`,
      { table: table.sqlName, column: match.name },
    );
  }
  const id = idColumn(request, table);
  const { fold, insertMissing, required } = request;
  const set = Object.keys(request.set).map((name) => setColumn(table, match, name));
  if (fold !== null && !TEXTS.has(match.type.typeName)) {
    throw new EtlError(
      'ETL_COLUMN_TYPE',
      `Column "${match.name}" of ${table.sqlName} is ${match.type.declared}, which has no case to fold.`,
      'Leave fold out, or match a column of text.',
      { table: table.sqlName, column: match.name },
    );
  }
  if (insertMissing) refuseNeeded(table, match, set);
  const { schema, name, sqlName } = table;
  const { type, collation } = match;
  return {
    request,
    idType: id.type,
    lookup: {
      ...{ schema, table: name, sqlName, id: id.name, fold, insertMissing },
      match: { name: match.name, type, collation },
      ...(required === null ? {} : { required }),
      ...(set.length === 0 ? {} : { set: { columns: set, view } }),
    },
  };
}

const TEXTS = new Set(['text', 'varchar', 'bpchar', 'citext']);

function idColumn({ id }: LookupRequest, table: LookupTable): TargetColumn {
  const [only, ...more] = table.primaryKey ?? [];
  if (id === null && (only === undefined || more.length > 0)) {
    throw new EtlError(
      'ETL_KEY_INVALID',
      `${table.sqlName} has no primary key of one column, and the lookup names no id.`,
      `Name the column whose value is to be taken: id. Its columns: ${names(table).join(', ')}.`,
      { table: table.sqlName },
    );
  }
  const column = columnNamed(table, id ?? only ?? '');
  if (column.notNull) return column;
  throw new EtlError(
    'ETL_KEY_INVALID',
    `Column "${column.name}" of ${table.sqlName} may be NULL, so a row could be found without a value.`,
    `alter table ${table.sqlName} alter ${readable(column.name)} set not null; or name another column as id.`,
    { table: table.sqlName, column: column.name },
  );
}

/** A column of a created row that is taken from the files. */
function setColumn(table: LookupTable, match: TargetColumn, wanted: string): TargetColumn {
  const column = columnNamed(table, wanted);
  if (column.name === match.name) {
    throw new EtlError(
      'ETL_USAGE',
      `The ${match.name} of a row that is created in ${table.sqlName} is the value that was looked up.`,
      `Leave ${wanted} out of set.`,
      { table: table.sqlName, column: column.name },
    );
  }
  refuseGenerated(table, column, `Leave ${wanted} out of set.`);
  // Most rows need none of it, since theirs is there; the server refuses NULL for one that is made.
  return { ...column, notNull: false };
}

function refuseGenerated(
  table: LookupTable,
  { name, generated }: TargetColumn,
  remedy: string,
): void {
  if (generated === 'no' || generated === 'identityByDefault') return;
  throw new EtlError(
    'ETL_COLUMN_TYPE',
    `Column "${name}" of ${table.sqlName} is generated, so no row can be created with a value.`,
    remedy,
    { table: table.sqlName, column: name },
  );
}

/** A row is created of the value, and of what `set` names: all else must be able to stay away. */
function refuseNeeded(table: LookupTable, match: TargetColumn, set: readonly TargetColumn[]): void {
  refuseGenerated(table, match, 'Leave insertMissing out, or match another column.');
  const needed = table.columns.find(
    (column) =>
      column.name !== match.name &&
      !set.some(({ name }) => name === column.name) &&
      column.notNull &&
      !column.hasDefault &&
      column.generated === 'no',
  );
  if (needed === undefined) return;
  throw new EtlError(
    'ETL_COLUMN_MISSING',
    `A row of ${table.sqlName} cannot be created of its ${[match, ...set].map(({ name }) => name).join(', ')} alone: "${needed.name}" is NOT NULL and has no default.`,
    `Name a column of the files for it in set, or give it a default: alter table ${table.sqlName} alter ${readable(needed.name)} set default …;`,
    { table: table.sqlName, column: needed.name },
  );
}

function columnNamed(table: LookupTable, wanted: string): TargetColumn {
  const name = matchName(wanted, names(table));
  const column = table.columns.find((each) => each.name === name);
  if (column !== undefined) return column;
  throw new EtlError(
    'ETL_COLUMN_MISSING',
    `${table.sqlName} has no column "${wanted}".${didYouMean(wanted, names(table))}`,
    `Its columns: ${names(table).join(', ')}.`,
    { table: table.sqlName, column: wanted },
  );
}

function names({ columns }: Pick<LookupTable, 'columns'>): string[] {
  return columns.map((column) => column.name);
}
