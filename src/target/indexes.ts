import { EtlError, errorRecordOf } from '../errors.ts';
import { present } from '../assert.ts';
import type { Connection, Row } from './connect.ts';
import { quoted } from './names.ts';
import { remembered } from './remembered.ts';
import { READ_INDEXES, READ_INDEX_RIGHTS, READ_NAMED_INDEXES } from './sql/read-indexes.ts';
import type { TargetColumn } from './table.ts';

/** An index as a job asks for it. Plain JSON. */
export interface IndexSpec {
  /** Deterministic where the job gives none. */
  readonly name: string;
  readonly unique: boolean;
  /** What follows `using`: `btree ("scraped_at") where (…)`. */
  readonly using: string;
}

/** The same, as the server spells what it is: two that spell alike are the same. */
export interface KnownIndex extends IndexSpec {
  readonly definition: string;
}

/** What the catalog says of an index that is asked for. */
export interface FoundIndex {
  readonly definition: string;
  /** The index of the table that is the same, whatever its name; null where there is none. */
  readonly there: string | null;
  /** What else bears the name, as people read it; null: it is free, or ours. */
  readonly taken: string | null;
}

export interface IndexedTable {
  readonly schema: string;
  readonly name: string;
}

const PROBE = 'etl_index_probe';

/**
 * Looks the indexes up, and lets the server judge them: they are made on an empty temporary table of
 * the same columns, in a transaction that is rolled back. So a mistake in an expression is found
 * before any row is loaded, and the server itself says how it spells the definition, which is how an
 * index is recognized that somebody has made by another name.
 *
 * @throws EtlError ETL_USAGE for an index that cannot be made.
 */
export async function findIndexes(
  connection: Connection,
  table: IndexedTable & { readonly oid: number | null; readonly columns: readonly TargetColumn[] },
  specs: readonly IndexSpec[],
): Promise<readonly FoundIndex[]> {
  const definitions = await definitionsOf(connection, table.columns, specs);
  const there = table.oid === null ? [] : await connection.query(READ_INDEXES, [table.oid]);
  const names = specs.map(({ name }) => name);
  const named = await connection.query(READ_NAMED_INDEXES, [table.schema, table.name, names]);
  return specs.map(({ name, unique }, place) => {
    const definition = present(definitions[place], `the definition of ${name}`);
    const own = named.find((row) => row['name'] === name);
    const same = there.find((row) => serves(row, { unique, definition }));
    const free = own === undefined || serves(own, { unique, definition });
    return {
      definition,
      there: same === undefined ? null : String(same['name']),
      taken: free ? null : takenBy(own),
    };
  });
}

/** An index that is unique does what another one is asked for. */
function serves(row: Row, wanted: Pick<KnownIndex, 'unique' | 'definition'>): boolean {
  const enforces = row['unique'] === true || !wanted.unique;
  return enforces && usingOf(row['definition']) === wanted.definition;
}

function takenBy(row: Row): string {
  const using = usingOf(row['definition']);
  if (using === null) return 'something else of this schema';
  return `an index with another definition (${row['unique'] === true ? 'unique ' : ''}${using})`;
}

/** What follows `using` in the DDL that pg_get_indexdef prints. */
function usingOf(definition: unknown): string | null {
  if (typeof definition !== 'string') return null;
  return definition.slice(definition.indexOf(' USING ') + ' USING '.length);
}

/**
 * The same columns and the same indexes are spelled the same all session long; to make them costs the
 * server more than the COPY of 1,000 rows.
 */
function definitionsOf(
  connection: Connection,
  columns: readonly TargetColumn[],
  specs: readonly IndexSpec[],
): Promise<string[]> {
  const fields = columns.map(({ name, type, collation }) => {
    const collate = collation === null ? '' : ` collate ${collation}`;
    return `${quoted(name)} ${type.declared}${collate}`;
  });
  const asked = specs.map(({ unique, using }) => [unique, using]);
  return remembered(connection, `indexes ${JSON.stringify([fields, asked])}`, () =>
    probedDefinitions(connection, fields, specs),
  );
}

/** @param fields as DDL */
async function probedDefinitions(
  connection: Connection,
  fields: readonly string[],
  specs: readonly IndexSpec[],
): Promise<string[]> {
  await connection.query('begin read write');
  try {
    await connection.query(`create temp table ${PROBE} (${fields.join(', ')})`);
    const definitions: string[] = [];
    for (const [place, spec] of specs.entries()) {
      const name = `${PROBE}_${place}`;
      const probe = { name, unique: spec.unique, using: spec.using };
      await connection
        .query(createIndexSql({ schema: 'pg_temp', name: PROBE }, probe, 'at once'))
        .catch((error: unknown) => {
          throw cannotBeMade(spec, error);
        });
      const [row] = await connection.query(
        `select pg_catalog.pg_get_indexdef('pg_temp.${name}'::regclass) as definition`,
      );
      definitions.push(present(usingOf(row?.['definition']), `the definition of ${spec.name}`));
    }
    return definitions;
  } finally {
    if (connection.usable()) await connection.query('rollback');
  }
}

function cannotBeMade({ name }: IndexSpec, error: unknown): unknown {
  const { facts, sentence } = errorRecordOf(error);
  if (!/^(?:0A|22|42)/.test(facts.sqlState ?? '')) return error;
  return new EtlError(
    'ETL_USAGE',
    `The index ${name} cannot be made: ${sentence}`,
    "Correct it among the load's indexes.",
    facts,
    { cause: error },
  );
}

/** Of a table that exists. */
export async function indexRights(
  connection: Connection,
  table: IndexedTable,
): Promise<{ readonly owned: boolean; readonly partitioned: boolean }> {
  const [row] = await connection.query(READ_INDEX_RIGHTS, [table.schema, table.name]);
  return { owned: row?.['owned'] === true, partitioned: row?.['partitioned'] === true };
}

/** `invalid`: a build that was cut off has left it, or one is going on. */
export type IndexState = 'valid' | 'invalid' | 'missing' | 'another';

/** Of the index of this name. */
export async function indexState(
  connection: Connection,
  table: IndexedTable,
  index: KnownIndex,
): Promise<IndexState> {
  const [row] = await connection.query(READ_NAMED_INDEXES, [
    table.schema,
    table.name,
    [index.name],
  ]);
  if (row === undefined) return 'missing';
  if (!serves(row, index)) return 'another';
  return row['valid'] === true ? 'valid' : 'invalid';
}

/**
 * `concurrently` lets others write meanwhile, reads the table twice, and may be part of no
 * transaction.
 */
export function createIndexSql(
  table: IndexedTable,
  { name, unique, using }: IndexSpec,
  how: 'concurrently' | 'at once',
): string {
  const head = `create ${unique ? 'unique ' : ''}index`;
  const concurrently = how === 'concurrently' ? ' concurrently' : '';
  return `${head}${concurrently} if not exists ${quoted(name)} on ${tableSql(table)} using ${using}`;
}

/**
 * Waits for a build that another session is at: the lock is the one that a concurrent build holds
 * from its beginning to its end.
 */
export async function waitForBuild(connection: Connection, table: IndexedTable): Promise<void> {
  await connection.query('begin');
  try {
    await connection.query(`lock table ${tableSql(table)} in share update exclusive mode`);
  } finally {
    if (connection.usable()) await connection.query('rollback');
  }
}

export async function dropIndex(
  connection: Connection,
  { schema }: IndexedTable,
  name: string,
): Promise<void> {
  await connection.query(`drop index concurrently if exists ${quoted(schema)}.${quoted(name)}`);
}

function tableSql({ schema, name }: IndexedTable): string {
  return `${quoted(schema)}.${quoted(name)}`;
}
