import { present } from '../assert.ts';
import { foldedSql } from './fold-sql.ts';
import { quoted } from './names.ts';
import { stagedValue, type StagingColumn, type StagingTable } from './staging.ts';
import type { TargetColumn } from './table.ts';

/** What a merge needs to know of a load. Plain JSON: it crosses threads. */
export interface MergeTarget {
  readonly schema: string;
  readonly name: string;
  /** Other tables inherit from it; see ownRowsSql. */
  readonly inherited?: true;
  readonly columns: readonly TargetColumn[];
  /** Empty with `append`. */
  readonly key: readonly string[];
  readonly onConflict: 'update' | 'ignore' | 'newest' | 'append';
  readonly versionColumn: string | null;
  /** A row may be refused because of a row of another key; see mergeCoupled. */
  readonly coupled?: true;
  /** With `coupled`: see TargetTable; no statement of several rows refuses what one row by row would. */
  readonly checkedLate?: true;
  /** With `coupled`: the columns on whose values that depends; absent: it may be any. */
  readonly coupledColumns?: readonly string[];
  /** Columns that are written when a row is inserted, and never again; absent: none. */
  readonly insertOnly?: readonly string[];
  /** Columns that alone say whether a row has changed; absent: all that are brought. */
  readonly compare?: readonly string[];
}

export interface MergeSource {
  readonly tables: readonly StagingTable[];
  /** Only rows of this file, where a unit is merged file by file. */
  readonly file: number | null;
  /** Only keys of this owner, where several merge one staging (`partitioned`). */
  readonly owner: { readonly index: number; readonly count: number } | null;
  /** Only rows whose number is in `[from, to)`, where the bad ones of a file are looked for. */
  readonly rows?: { readonly from: number; readonly to: number };
}

/**
 * The merge: one winning row per key of what is staged, in the order of the key (which is the one
 * lock order that all merges share), upserted by the policy.
 *
 * Rows are compared by their bytes (`*<>`, made for the refresh of materialized views), not by
 * `is distinct from`: 1.0 and 1.00 are equal numbers, but a sequential load would leave 1.00, and
 * json, xml and point have no equality at all. It is not slower: 500,000 unchanged rows of 8
 * columns 1.54 s, against 1.60 s.
 *
 * A key whose equal values can be spelled differently (numeric, citext) takes the winner's
 * spelling; other keys are not set, since setting them would take a stronger row lock.
 *
 * Not with `compare`: the row of the table must be seen before the winner is known (mergeChangedSql).
 */
export function mergeSql(target: MergeTarget, source: MergeSource): string {
  const insert = insertSql(target, source);
  if (target.onConflict === 'append') return insert;
  return `${insert}\n${conflictSql(target, source)}`;
}

/** The merge without a word on conflicts: the unique index refuses a key that the table holds. */
export function insertSql(target: MergeTarget, source: MergeSource): string {
  return `${intoSql(target, source)}\n${winnersSql(target, source)}`;
}

/**
 * The same for staged keys that are distinct and come in the order of the key: as they come. Of
 * 500,000 rows of 8 columns the sort that chooses winners takes 0.3 s of the 1.2 s of an INSERT.
 */
export function insertDistinctSql(target: MergeTarget, source: MergeSource): string {
  const columns = mergedColumns(target, source);
  const fields = columns.map((_, place) => `s.v${place}`).join(', ');
  return `${intoSql(target, source)}
select ${fields}
  from (${stagedRowsSql(target, source, columns)}) s`;
}

/** Up to the columns: what follows is the query. */
export function intoSql(target: MergeTarget, source: MergeSource): string {
  const columns = mergedColumns(target, source);
  const names = columns.map((column) => quoted(column.name));
  const overriding = columns.some((column) => column.generated === 'identityAlways')
    ? ' overriding system value'
    : '';
  return `insert into ${tableSql(target)} as t (${names.join(', ')})${overriding}`;
}

export function tableSql(target: Pick<MergeTarget, 'schema' | 'name'>): string {
  return `${quoted(target.schema)}.${quoted(target.name)}`;
}

/**
 * Where the table's rows are read. Not those of tables that inherit from it: its unique index does not
 * hold for them, so that a key may be there several times, or be there and not in the table.
 */
export function ownRowsSql(target: Pick<MergeTarget, 'schema' | 'name' | 'inherited'>): string {
  return target.inherited === true ? `only ${tableSql(target)}` : tableSql(target);
}

/**
 * One winning row per key (all rows with `append`): what the merge writes. One sort of whole rows;
 * of 3 million staged rows that hold 500,000 keys six times it takes 2.35 s of CPU, where to
 * hash the largest (file, row) of each key and to join the rows by it takes 4.7 s.
 *
 * With column policies the winner is made of several rows of its key (see foldedSql). With `turned`
 * there is one more column of this name: whether the winner differs from a staged row before it.
 */
export function winnersSql(
  target: MergeTarget,
  source: MergeSource,
  told: 'values' | 'turned' = 'values',
): string {
  return selectSql(target, source, mergedColumns(target, source), told === 'turned');
}

/** Whether rows that another one supersedes are part of the result as well. */
export function needsAllRows({ insertOnly, compare }: MergeTarget): boolean {
  return insertOnly !== undefined || compare !== undefined;
}

/** Columns of the table that the files bring: value `v0`, `v1` … of what is staged. */
export function mergedColumns(target: MergeTarget, source: MergeSource): TargetColumn[] {
  const staged = new Set(present(source.tables[0], 'a staging table').columns.map((c) => c.target));
  return target.columns.filter((column) => staged.has(column.name));
}

function selectSql(
  target: MergeTarget,
  source: MergeSource,
  columns: TargetColumn[],
  turned: boolean,
): string {
  if (needsAllRows(target)) {
    const places = (names: readonly string[] = []): number[] =>
      names.map((name) => placeOf(columns, name)).filter((place) => place >= 0);
    return foldedSql({
      rows: stagedRowsSql(target, source, columns),
      width: columns.length,
      key: places(target.key),
      first: places(target.insertOnly),
      compared: target.compare === undefined ? null : places(target.compare),
      version: target.versionColumn === null ? null : placeOf(columns, target.versionColumn),
      turned,
    });
  }
  const fields = columns.map((_, place) => `s.v${place}`).join(', ');
  const from = `from (${stagedRowsSql(target, source, columns)}) s`;
  if (target.onConflict === 'append') {
    return `select ${fields}\n  ${from}\n order by s.etl_file, s.etl_row`;
  }
  const key = target.key.map((name) => `s.v${placeOf(columns, name)}`).join(', ');
  return `select distinct on (${key}) ${fields}\n  ${from}\n order by ${key}, ${winnerFirst(target, columns)}`;
}

/** The order of staged rows `s` of a key in which the winner is the first. */
export function winnerFirst(target: MergeTarget, columns: readonly TargetColumn[]): string {
  const latest = 's.etl_file desc, s.etl_row desc';
  if (target.onConflict === 'ignore') return 's.etl_file, s.etl_row';
  if (target.onConflict === 'update') return latest;
  const version = present(target.versionColumn, 'the version column');
  return `s.v${placeOf(columns, version)} desc nulls last, ${latest}`;
}

/** All rows that are to be merged, duplicates included: etl_file, etl_row and the values v0, v1 … */
export function stagedRowsSql(
  target: MergeTarget,
  source: MergeSource,
  columns: readonly TargetColumn[],
): string {
  return source.tables
    .map((table) => rowsSql(target, source, table, columns))
    .join('\n union all ');
}

function rowsSql(
  target: MergeTarget,
  source: MergeSource,
  table: StagingTable,
  columns: readonly TargetColumn[],
): string {
  const values = columns.map((column, place) => {
    const staged = stagedColumn(table, column.name);
    return `${stagedValue(staged)} as v${place}`;
  });
  const file = table.fileColumn ? 'etl_file' : '0 as etl_file';
  const where = [
    ...(source.file === null || !table.fileColumn ? [] : [`etl_file = ${source.file}`]),
    ...(table.where === undefined ? [] : [table.where]),
    ...(source.owner === null ? [] : [ownerSql(target, table, source.owner)]),
    ...(source.rows === undefined
      ? []
      : [`etl_row >= ${source.rows.from} and etl_row < ${source.rows.to}`]),
  ];
  const filter = where.length === 0 ? '' : ` where ${where.join(' and ')}`;
  return `select ${[file, 'etl_row', ...values].join(', ')} from ${table.sqlName}${filter}`;
}

/**
 * Owners share keys out by hash, which is even whatever the keys are. Ranges of the leading key
 * column were measured with two owners, 600,000 updates, a table of 6 million rows and shared_buffers
 * of 32 MB, CPU of both: rows in random order 9.7 s against 10.0 s, rows in the order of the key
 * 4.8 s against 5.9 s, with as many pages read and written and the same WAL. Where all fits into
 * memory they tied. So ranges would save a sixth of some loads and nothing of others, for quantiles
 * that must be sampled and split points that a column of few values does not have.
 */
function ownerSql(
  target: MergeTarget,
  table: StagingTable,
  owner: { readonly index: number; readonly count: number },
): string {
  return `(${keyHashSql(target, table)} & 9223372036854775807) % ${owner.count} = ${owner.index}`;
}

/**
 * The database's own hash of the key, equal for keys that it takes for equal. Hashes with another
 * salt are others, for the same keys.
 */
export function keyHashSql(target: MergeTarget, table: StagingTable, salt = 0): string {
  const values = target.key.map((name) => stagedValue(stagedColumn(table, name)));
  return `hash_record_extended(row(${values.join(', ')}), ${salt})`;
}

export function stagedColumn(table: StagingTable, target: string): StagingColumn {
  return present(
    table.columns.find((column) => column.target === target),
    `staged column for ${target}`,
  );
}

/** Columns that a merge may change: not the keys that have one spelling only, nor `insertOnly`. */
export function changedColumns(target: MergeTarget, source: MergeSource): TargetColumn[] {
  const isKey = (column: TargetColumn): boolean => target.key.includes(column.name);
  return mergedColumns(target, source)
    .filter((column) => !isKey(column) || !column.type.bytewise)
    .filter((column) => target.insertOnly?.includes(column.name) !== true);
}

/** Columns that say whether a row has changed. */
export function comparedColumns(target: MergeTarget, source: MergeSource): TargetColumn[] {
  const { compare } = target;
  const changed = changedColumns(target, source);
  return compare === undefined ? changed : changed.filter(({ name }) => compare.includes(name));
}

/** `compared`: columns of which one must differ for a row to be written. */
export function conflictSql(
  target: MergeTarget,
  source: MergeSource,
  compared: readonly TargetColumn[] = changedColumns(target, source),
): string {
  const arbiter = `on conflict (${target.key.map(quoted).join(', ')})`;
  const set = changedColumns(target, source);
  if (target.onConflict === 'ignore' || set.length === 0) return `${arbiter} do nothing`;
  const assignments = set
    .map(({ name }) => `${quoted(name)} = excluded.${quoted(name)}`)
    .join(', ');
  const row = (of: string): string =>
    `row(${compared.map(({ name }) => `${of}.${quoted(name)}`).join(', ')})::record`;
  const changed = `${row('t')} *<> ${row('excluded')}`;
  return `${arbiter} do update set ${assignments}\n where ${newerSql(target)}${changed}`;
}

function newerSql(target: MergeTarget): string {
  if (target.onConflict !== 'newest') return '';
  const version = quoted(present(target.versionColumn, 'the version column'));
  return `(t.${version} is null or excluded.${version} >= t.${version}) and `;
}

export function placeOf(columns: readonly TargetColumn[], name: string): number {
  return columns.findIndex((column) => column.name === name);
}
