import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import { didYouMean } from '../job/nearest-name.ts';
import type { LoadRequest } from '../job/schema.ts';
import { readable } from '../target/names.ts';
import type { TargetTable, UniqueIndex } from '../target/table.ts';
import { matchName } from './match-name.ts';

type Request = Pick<LoadRequest, 'key' | 'onConflict'>;
type Table = Pick<TargetTable, 'sqlName' | 'columns' | 'uniqueIndexes'>;

/**
 * The key columns of a load into a table that exists, in the order of the index that enforces them,
 * so that sorted merges walk that index. Empty with `append`. ON CONFLICT needs a unique index on
 * exactly these columns; without one no upsert is safe, so there is no way around it.
 */
export function chooseKey(request: Request, table: Table): readonly string[] {
  if (request.onConflict === 'append') return [];
  if (request.key === null) return primaryKeyOf(table);
  const names = table.columns.map((column) => column.name);
  const key = resolveKey(request.key, names, table.sqlName);
  const index = table.uniqueIndexes.find(
    (candidate) => candidate.arbiter && sameColumns(candidate.columns, key),
  );
  if (index !== undefined) return index.columns;
  const another = table.uniqueIndexes.some(({ arbiter }) => arbiter);
  throw new EtlError(
    'ETL_KEY_INVALID',
    `No unique index of ${table.sqlName} has exactly the columns ${key.join(', ')}${whyUnusable(table, key)}. ${uniqueKeysOf(table)}`,
    remedy`${another ? remedy`Name one of them with ${setting('key')}, or add one:` : 'Add one:'} alter table ${table.sqlName} add unique (${key.map((name) => readable(name)).join(', ')});`,
    { table: table.sqlName },
  );
}

/** The key of a table that is to be created: what the job names, since nothing else can know it. */
export function keyOfNewTable(
  request: Request,
  columns: readonly string[],
  sqlName: string,
): readonly string[] {
  if (request.onConflict === 'append') return [];
  if (request.key !== null) return resolveKey(request.key, columns, sqlName);
  throw new EtlError(
    'ETL_KEY_INVALID',
    `${sqlName} is to be created, and nothing says which columns are its key. The columns: ${columns.join(', ')}.`,
    remedy`Name the key with ${setting('key')}, or add every row with ${setting('onConflict', 'append')}.`,
    { table: sqlName },
  );
}

/** The names as the table spells them, each once; unknown ones are an error. */
function resolveKey(
  key: readonly string[],
  names: readonly string[],
  sqlName: string,
): readonly string[] {
  const resolved = key.map((wanted) => {
    const name = matchName(wanted, names);
    if (name !== null) return name;
    throw new EtlError(
      'ETL_KEY_INVALID',
      `${sqlName} has no column "${wanted}" for the key.${didYouMean(wanted, names)}`,
      `The columns: ${names.join(', ')}.`,
      { table: sqlName, column: wanted },
    );
  });
  const twice = resolved.find((name, index) => resolved.indexOf(name) !== index);
  if (twice === undefined) return resolved;
  throw new EtlError('ETL_KEY_INVALID', `The key names "${twice}" twice.`, 'Name it once.', {
    table: sqlName,
    column: twice,
  });
}

function primaryKeyOf(table: Table): readonly string[] {
  const primary = table.uniqueIndexes.find((index) => index.primary);
  if (primary?.arbiter === true) return primary.columns;
  const [why, ddl] =
    primary === undefined
      ? ['has no primary key, and the job names no key', `add primary key (…)`]
      : [`has a deferrable primary key, which ON CONFLICT cannot use`, 'add unique (…)'];
  throw new EtlError(
    'ETL_KEY_INVALID',
    `${table.sqlName} ${why}. ${uniqueKeysOf(table)}`,
    remedy`Name a unique key with ${setting('key')}, add one (alter table ${table.sqlName} ${ddl};), or add every row with ${setting('onConflict', 'append')}.`,
    { table: table.sqlName },
  );
}

function whyUnusable(table: Table, key: readonly string[]): string {
  const index = table.uniqueIndexes.find((candidate) => sameColumns(candidate.columns, key));
  if (index === undefined) return '';
  return ` that ON CONFLICT can use (${index.name} is partial, deferrable, invalid, on expressions or of another collation)`;
}

function uniqueKeysOf(table: Table): string {
  const usable = table.uniqueIndexes.filter((index) => index.arbiter).map(describeIndex);
  return usable.length === 0
    ? 'It has no unique key that could be used.'
    : `Its unique keys: ${usable.join('; ')}.`;
}

function describeIndex(index: UniqueIndex): string {
  return `(${index.columns.join(', ')}) of ${index.name}`;
}

function sameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
