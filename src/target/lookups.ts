import { errorRecordOf } from '../errors.ts';
import type { Connection } from './connect.ts';
import {
  createOneByOneSql,
  createSql,
  deleteUnmatchedSql,
  findCreatedSql,
  mapSql,
  unmatchedSql,
  withIdsSql,
  type StagedLookup,
} from './lookup-sql.ts';
import { WITHOUT_FLUSH, type StagingTable } from './staging.ts';
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

/**
 * Creates the values that were not found, in a transaction of its own, which is over when it
 * resolves: nobody waits for the file that brought them. Values that the table refuses stay without an answer.
 *
 * @returns the rows that this call created; others may have created the rest meanwhile
 */
export async function createMissing(connection: Connection, lookup: StagedLookup): Promise<number> {
  const [missing] = await connection.query(
    `select exists (select from ${lookup.map} where id is null) as there`,
  );
  if (missing?.['there'] !== true) return 0;
  const created = await createAll(connection, lookup);
  await connection.query(`${WITHOUT_FLUSH} ${findCreatedSql(lookup)}`);
  return created;
}

async function createAll(connection: Connection, lookup: StagedLookup): Promise<number> {
  try {
    return await connection.execute(createSql(lookup));
  } catch (error) {
    // A unique index of another column, a CHECK, a value that is too long: one of the values.
    const state = errorRecordOf(error).facts.sqlState ?? '';
    if (!/^(?:22|23|44|P0|54000)/.test(state)) throw error;
  }
  await connection.query(createOneByOneSql(lookup));
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
  const [missing] = await connection.query(
    `select exists (select from ${lookup.map} where id is null) as there`,
  );
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

/** Puts what was found beside the rows; the staging table and the maps make room for the new one. */
export async function withIds(
  connection: Connection,
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
  const ids = lookups.map(({ into }, place) => ({
    name: `id${place}`,
    sqlType: into.type.declared,
    collation: into.collation,
    notNull: false,
    target: into.name,
    cast: null,
  }));
  return { ...table, sqlName, columns: [...table.columns, ...ids] };
}
