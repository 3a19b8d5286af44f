import { present } from '../assert.ts';
import type { Connection } from './connect.ts';
import { dollarQuoted, quoted } from './names.ts';
import { stagedValue, type StagingTable } from './staging.ts';
import type { TargetColumn } from './table.ts';
import { inTransaction } from './transaction.ts';

/**
 * The reference of `etl verify`: a temporary table with the columns that the files bring, filled row
 * by row, as the promise says it. It shares no SQL with the merge (no picking of winners, no sets),
 * so that a mistake there shows here as a difference.
 */
export interface Reference {
  /** Qualified. */
  readonly sqlName: string;
  /** Those of the key first. */
  readonly columns: readonly ReferenceColumn[];
  /** How many of the columns are the key; 0 with `append`. */
  readonly keyColumns: number;
}

export interface ReferenceColumn {
  /** Its name in the reference. */
  readonly name: string;
  readonly target: TargetColumn;
  /** A column that is true in rows to which a file brought this one; null where all files do. */
  readonly mark: string | null;
}

/** How the rows of one file go into the reference. */
export interface RowPolicy {
  readonly onConflict: 'update' | 'ignore' | 'newest' | 'append';
  readonly versionColumn: string | null;
  /** Columns that are written with a new row only. */
  readonly insertOnly: readonly string[];
  /** Columns of which one must differ for a row to be changed; null: it is written in any case. */
  readonly compare: readonly string[] | null;
  /**
   * Whether a mark stays once a file has set it. Not with `newest` where the table held rows before:
   * an older file may then have lost to them, so only what the winning row brought is certain.
   */
  readonly marksStay: boolean;
}

const NAME = 'pg_temp.etl_reference';

/** `brought`: names of the columns by file. */
export function referenceOf(
  columns: readonly TargetColumn[],
  key: readonly string[],
  brought: readonly ReadonlySet<string>[],
): Reference {
  const isKey = (column: TargetColumn): boolean => key.includes(column.name);
  const rest = columns.filter(
    (column) => !isKey(column) && brought.some((names) => names.has(column.name)),
  );
  const all = [...key.flatMap((name) => columns.filter((column) => column.name === name)), ...rest];
  return {
    sqlName: NAME,
    keyColumns: key.length,
    columns: all.map((target, place) => ({
      name: `c${place}`,
      target,
      mark: brought.every((names) => names.has(target.name)) ? null : `b${place}`,
    })),
  };
}

/** Types and collations are the table's own; its constraints, defaults and triggers are not. */
export async function createReference(
  connection: Connection,
  table: { readonly schema: string; readonly name: string },
  reference: Reference,
): Promise<void> {
  const { columns, keyColumns, sqlName } = reference;
  const fields = columns.flatMap(({ name, target, mark }) => [
    `${quoted(target.name)} as ${name}`,
    ...(mark === null ? [] : [`false as ${mark}`]),
  ]);
  await writable(connection, async () => {
    await connection.query(`drop table if exists ${sqlName}`);
    await connection.query(
      `create temp table etl_reference as select ${fields.join(', ')}
         from ${quoted(table.schema)}.${quoted(table.name)} with no data`,
    );
    if (keyColumns > 0) {
      await connection.query(`create unique index on ${sqlName} (${keyOf(reference).join(', ')})`);
    }
  });
}

export function keyOf({ columns, keyColumns }: Reference): string[] {
  return columns.slice(0, keyColumns).map((column) => column.name);
}

/**
 * Upserts the staged rows one by one, in the order of the file: 10 µs a row of 8 columns, five times
 * what a set of rows takes, for a statement that nobody needs to prove.
 */
export async function applyFile(
  connection: Connection,
  reference: Reference,
  staged: StagingTable,
  policy: RowPolicy,
): Promise<void> {
  const known = new Set(reference.columns.map(({ target }) => target.name));
  const brought = staged.columns.filter(({ target }) => target !== null && known.has(target));
  const values = brought.map((column, place) => `${stagedValue(column)} as v${place}`);
  const into = brought.map((column) => referenceColumn(reference, column.target ?? ''));
  const rows = `select ${values.join(', ')} from ${staged.sqlName} order by etl_row`;
  await connection.query(
    policy.onConflict === 'append'
      ? `insert into ${reference.sqlName} (${into.map(({ name }) => name).join(', ')}) ${rows}`
      : `do ${dollarQuoted(`
declare r record;
begin
  for r in ${rows} loop
    ${rowSql(reference, into, policy)};
  end loop;
end`)}`,
  );
}

function rowSql(
  reference: Reference,
  into: readonly ReferenceColumn[],
  { onConflict, versionColumn, insertOnly, compare, marksStay }: RowPolicy,
): string {
  const marks = into.flatMap(({ mark }) => mark ?? []);
  const names = [...into.map(({ name }) => name), ...marks];
  const values = [...into.map((_, place) => `r.v${place}`), ...marks.map(() => 'true')];
  const insert =
    `insert into ${reference.sqlName} as existing (${names.join(', ')}) ` +
    `values (${values.join(', ')}) on conflict (${keyOf(reference).join(', ')})`;
  if (onConflict === 'ignore') return `${insert} do nothing`;
  const lost = marksStay ? [] : reference.columns.flatMap(({ mark }) => mark ?? []);
  const changed = into.filter(({ target }) => !insertOnly.includes(target.name));
  const set = changed
    .flatMap(({ name, mark }) => (mark === null ? [name] : [name, mark]))
    .map((name) => `${name} = excluded.${name}`);
  set.push(...lost.filter((mark) => !marks.includes(mark)).map((mark) => `${mark} = false`));
  if (set.length === 0) return `${insert} do nothing`;
  const update = `${insert} do update set ${set.join(', ')}`;
  if (compare !== null) return `${update} where ${differs(changed, compare)}`;
  if (onConflict !== 'newest') return update;
  const version = referenceColumn(reference, versionColumn ?? '').name;
  return `${update} where existing.${version} is null or excluded.${version} >= existing.${version}`;
}

function differs(columns: readonly ReferenceColumn[], compare: readonly string[]): string {
  const compared = columns.filter(({ target }) => compare.includes(target.name));
  const row = (of: string): string =>
    `row(${compared.map(({ name }) => `${of}.${name}`).join(', ')})`;
  return `${row('existing')}::record *<> ${row('excluded')}::record`;
}

export function referenceColumn({ columns }: Reference, target: string): ReferenceColumn {
  return present(
    columns.find((column) => column.target.name === target),
    `column ${target} of the reference`,
  );
}

/** The session is read-only, but for making its temporary tables. */
export function writable<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  return inTransaction(connection, work, 'begin read write');
}
