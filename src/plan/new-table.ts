import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import { didYouMean } from '../job/nearest-name.ts';
import type { LoadRequest } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';
import { readable } from '../target/names.ts';
import type { TargetColumn } from '../target/table.ts';
import { keyOfNewTable } from './choose-key.ts';
import { chooseCompressions, type Compressions } from './compression.ts';
import { collectColumns, columnTypes } from './new-columns.ts';
import type { DescribedFile } from './describe-files.ts';
import { matchName } from './match-name.ts';
import type { PlanContext } from './plan-context.ts';
import { contentColumns, documentsIn, documentTypes } from './plan-documents.ts';
import type { PlannedTable } from './plan-types.ts';
import { identifier } from './reserved-words.ts';

export interface NewTable {
  readonly table: PlannedTable;
  readonly key: readonly string[];
  readonly notices: readonly string[];
}

type Request = Pick<
  LoadRequest,
  'table' | 'key' | 'onConflict' | 'columns' | 'types' | 'compression' | 'createTable'
>;

/** Decides what the table that the files need looks like. It is created when the load runs. */
export async function planNewTable(
  request: Request,
  name: { readonly schema: string; readonly name: string },
  files: readonly DescribedFile[],
  context: Pick<PlanContext, 'catalog' | 'source' | 'seed'>,
): Promise<NewTable> {
  const sqlName = readable(name.schema, name.name);
  if (!request.createTable) throw missing(sqlName);
  const isDocuments = documentsIn(files) !== null;
  // Documents have the same columns, all of them.
  const columns = collectColumns(isDocuments ? files.slice(0, 1) : files, request.columns);
  refuseOddColumns(
    columns.map((column) => column.name),
    sqlName,
  );
  const names = columns.map((column) => column.name);
  const key = keyOfNewTable(request, names, sqlName);
  const given = givenTypes(request.types, names, sqlName);
  const { sqlTypes, notices } = isDocuments
    ? { sqlTypes: documentTypes(columns, given, files), notices: [] }
    : await columnTypes(columns, given, files, context);
  const types = await context.catalog.resolveTypes(sqlTypes);
  const targets = types.map((type, index) => newColumn(names[index] ?? '', type, key));
  const compressions = await chooseCompressions(
    request.compression,
    targets,
    { contents: contentColumns(columns, files), sqlName },
    context.catalog,
  );
  const table = {
    ...name,
    sqlName,
    oid: null,
    columns: targets,
    create: createSql(name, targets, key, compressions),
    estimatedRows: 0,
    empty: true,
  };
  return { table, key, notices };
}

function newColumn(name: string, type: TargetColumn['type'], key: readonly string[]): TargetColumn {
  const notNull = key.includes(name);
  return { name, type, notNull, collation: null, hasDefault: false, generated: 'no' };
}

/** The DDL, in lower case, as a person would write it. */
export function createSql(
  name: { readonly schema: string; readonly name: string },
  columns: readonly TargetColumn[],
  key: readonly string[],
  compressions: Compressions = new Map(),
): string {
  const table = `${identifier(name.schema)}.${identifier(name.name)}`;
  const lines = columns.map(({ name: column, type, notNull }) => {
    const compression = compressions.get(column) ?? 'none';
    const compressed = compression === 'none' ? '' : ` compression ${compression}`;
    return `  ${identifier(column)} ${type.declared}${compressed}${notNull ? ' not null' : ''}`;
  });
  if (key.length > 0) lines.push(`  primary key (${key.map(identifier).join(', ')})`);
  const create = `create table ${table} (\n${lines.join(',\n')}\n)`;
  // Until 15, CREATE TABLE has no word for it; together they are one transaction.
  const asTheyAre = [...compressions].filter(([, compression]) => compression === 'none');
  const alters = asTheyAre.map(
    ([column]) => `alter table ${table} alter column ${identifier(column)} set storage external`,
  );
  return [create, ...alters].join(';\n');
}

/** Types that the job names, by the column's name as the table will spell it. */
function givenTypes(
  types: Request['types'],
  names: readonly string[],
  sqlName: string,
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(types).map(([wanted, type]) => {
      const name = matchName(wanted, names);
      if (name !== null) return [name, type] as const;
      throw new EtlError(
        'ETL_COLUMN_MISSING',
        `${sqlName} will have no column "${wanted}", which types names.${didYouMean(wanted, names)}`,
        `The columns: ${names.join(', ')}.`,
        { table: sqlName, column: wanted },
      );
    }),
  );
}

/** What PostgreSQL would refuse, or cut without a word. */
function refuseOddColumns(names: readonly string[], table: string): void {
  if (names.length === 0) {
    throw new EtlError(
      'ETL_COLUMN_MISSING',
      `No column is left for ${table}.`,
      'Map at least one column.',
      { table },
    );
  }
  if (names.length > LIMITS.columnsMax) {
    throw new EtlError(
      'ETL_LIMIT',
      `The files have ${names.length} columns; a table of PostgreSQL has at most ${LIMITS.columnsMax}.`,
      remedy`Leave columns out: ${setting('columns', { name: null })}.`,
      { table, limit: LIMITS.columnsMax },
    );
  }
  const long = names.find((name) => Buffer.byteLength(name) > LIMITS.identifierBytesMax);
  if (long === undefined) return;
  throw new EtlError(
    'ETL_LIMIT',
    `The column's name is longer than PostgreSQL's ${LIMITS.identifierBytesMax} bytes.`,
    remedy`Give it a shorter one: ${setting('columns', { [long]: 'name' })}.`,
    { table, column: long, limit: LIMITS.identifierBytesMax },
  );
}

function missing(sqlName: string): EtlError {
  return new EtlError(
    'ETL_TABLE_MISSING',
    `There is no table ${sqlName}, and creating it is off.`,
    remedy`Check the name and the database, create the table, or drop ${setting('createTable', false)}.`,
    { table: sqlName },
  );
}
