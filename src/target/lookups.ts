import { errorRecordOf } from '../errors.ts';
import { lengthOf } from './cast-sql.ts';
import type { Connection } from './connect.ts';
import { conditionSql } from './joint-condition.ts';
import { createOfRowsSql, createRowByRowSql } from './lookup-set-sql.ts';
import {
  anyUnmatchedSql,
  createOneByOneSql,
  createSql,
  deleteUnmatchedSql,
  findCreatedSql,
  mapSql,
  REFUSAL,
  unmatchedSql,
  withIdsSql,
  type StagedLookup,
} from './lookup-sql.ts';
import { WITHOUT_FLUSH, type StagingColumn, type StagingTable } from './staging.ts';
import { castOf } from './staging-layout.ts';
import type { TargetColumn } from './table.ts';
import { useSchemas } from './use-schemas.ts';

/** A staged row whose value has nothing beside it in the table that it is looked up in. */
export interface UnmatchedRow {
  /** Ordinal under which it is staged; null where the table has no such column. */
  readonly file: number | null;
  readonly row: number;
  readonly value: string;
  /** Why the value could not be created; null where nobody tried, or nothing was said. */
  readonly refusal: { readonly sqlState: string; readonly message: string } | null;
}

/** Looks up the values of what is staged; what is there afterwards is in the map. */
export async function lookUp(
  connection: Connection,
  table: StagingTable,
  lookup: StagedLookup,
): Promise<void> {
  await useSchemas(connection, [lookup.lookup.match]);
  await connection.query(`${WITHOUT_FLUSH} drop table if exists ${lookup.map}`);
  await connection.query(`${WITHOUT_FLUSH} ${mapSql(table, lookup)}`);
}

export async function isAnyMissing(
  connection: Connection,
  { map }: Pick<StagedLookup, 'map'>,
): Promise<boolean> {
  const [row] = await connection.query(
    `select exists (select from ${map} where id is null) as there`,
  );
  return row?.['there'] === true;
}

/**
 * Creates the values that were not found, in a transaction of its own, which is over when it
 * resolves: nobody waits for the file that brought them.
 *
 * @returns the rows that this call created, others may have created the rest meanwhile; null, and
 *   nothing is created, where the table refuses any of them
 */
export async function createTogether(
  connection: Connection,
  table: StagingTable,
  lookup: StagedLookup,
  inOrder: boolean,
): Promise<number | null> {
  const sql = lookup.set === null ? createSql(lookup) : createOfRowsSql(table, lookup, inOrder);
  // What earlier units have created meanwhile: a CHECK would refuse a row even where it is there.
  if (lookup.set !== null) await connection.query(`${WITHOUT_FLUSH} ${findCreatedSql(lookup)}`);
  try {
    const created = await connection.execute(sql);
    await connection.query(`${WITHOUT_FLUSH} ${findCreatedSql(lookup)}`);
    return created;
  } catch (error) {
    // A unique index of another column, a CHECK, a value that is too long: one of the values.
    const state = errorRecordOf(error).facts.sqlState ?? '';
    if (!new RegExp(REFUSAL).test(state)) throw error;
    return null;
  }
}

/** The same one by one: values, or rows, that the table refuses stay without an answer. */
export async function createSingly(
  connection: Connection,
  table: StagingTable,
  lookup: StagedLookup,
): Promise<number> {
  await connection.query(
    lookup.set === null ? createOneByOneSql(lookup) : createRowByRowSql(table, lookup),
  );
  await connection.query(`${WITHOUT_FLUSH} ${findCreatedSql(lookup)}`);
  const [row] = await connection.query(
    `select count(*)::int8 as n from ${lookup.map} where created`,
  );
  return Number(row?.['n']);
}

/** The first of them in order of precedence; none where all values were found. */
export async function unmatchedRows(
  connection: Connection,
  table: StagingTable,
  lookup: StagedLookup,
  limit: number,
): Promise<readonly UnmatchedRow[]> {
  const [missing] = await connection.query(anyUnmatchedSql(lookup));
  if (missing?.['there'] !== true) return [];
  const rows = await connection.query(unmatchedSql(table, lookup, limit));
  return rows.map((row) => ({
    file: row['file'] === null ? null : Number(row['file']),
    row: Number(row['row']),
    value: String(row['value']),
    refusal:
      typeof row['message'] === 'string'
        ? { sqlState: String(row['state']), message: row['message'] }
        : null,
  }));
}

/** Takes the rows without an answer out of staging, and counts them. */
export function deleteUnmatched(
  connection: Connection,
  table: StagingTable,
  lookup: StagedLookup,
): Promise<number> {
  return connection.execute(deleteUnmatchedSql(table, lookup));
}

/**
 * Puts what was found beside the rows; the staging table and the maps make room for the new one.
 * `tables`: the columns of each table that takes the rows, as in `stagedLookups`.
 */
export async function withIds(
  connection: Connection,
  tables: readonly (readonly TargetColumn[])[],
  table: StagingTable,
  lookups: readonly StagedLookup[],
): Promise<StagingTable> {
  const sqlName = table.sqlName.replace(/"?$/, '_found$&');
  const gone = [table.sqlName, ...lookups.map(({ map }) => map)].join(', ');
  await connection.query(
    `${WITHOUT_FLUSH}
drop table if exists ${sqlName};
${withIdsSql(table, lookups, sqlName)};
drop table ${gone}`,
  );
  const found = { ...table, sqlName, columns: withFound(table, tables[0] ?? [], lookups) };
  if (table.views === undefined) return found;
  const views = table.views.map((view, place) => {
    const columns = withFound(view, tables[place + 1] ?? [], lookups);
    const { condition } = view;
    const own = { ...view, sqlName, columns };
    return condition === undefined ? own : { ...own, where: conditionSql(condition, own, found) };
  });
  return { ...found, views };
}

/** The staged columns of a table, and what it takes of what was found. */
function withFound(
  { columns }: StagingTable,
  ofTable: readonly TargetColumn[],
  lookups: readonly StagedLookup[],
): StagingColumn[] {
  const ids = lookups.flatMap(({ into, staged }, place) => {
    const name = columns.find((column) => column.name === staged.name)?.looksUp;
    const taker = ofTable.find((column) => column.name === name);
    if (taker === undefined) return [];
    const { type, collation } = taker;
    const same = type.declared === into.type.declared && collation === into.collation;
    const cast = same ? { cast: null } : { cast: castOf(type), ...lengthOf(type) };
    const sqlType = into.type.declared;
    const { name: target } = taker;
    return [{ name: `id${place}`, sqlType, collation, notNull: false, target, ...cast }];
  });
  return [...columns, ...ids];
}
