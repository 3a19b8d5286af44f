import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { Connection, Row } from './connect.ts';
import { quoted, readable } from './names.ts';
import { READ_COLUMNS } from './sql/read-columns.ts';
import { READ_COUPLINGS, READ_UNIQUE_INDEXES } from './sql/read-constraints.ts';
import { READ_RELATION } from './sql/read-relation.ts';
import type { TargetColumn, TargetTable, UniqueIndex } from './table.ts';
import { readTypes, type TypeFacts } from './types.ts';

/** Null where there is no such table. Views and foreign tables are refused: no upsert there. */
export async function readTable(
  connection: Connection,
  name: { readonly schema: string | null; readonly name: string },
): Promise<TargetTable | null> {
  const [relation] = await connection.query(READ_RELATION, [name.schema, name.name]);
  if (relation === undefined) return null;
  const oid = Number(relation['oid']);
  const sqlName = readable(String(relation['schema']), String(relation['name']));
  refuseOtherKinds(String(relation['kind']), sqlName);
  const [columns, indexes, couplings, empty] = await Promise.all([
    readColumns(connection, oid),
    connection.query(READ_UNIQUE_INDEXES, [oid]),
    connection.query(READ_COUPLINGS, [oid]),
    isEmpty(connection, String(relation['schema']), String(relation['name'])),
  ]);
  const uniqueIndexes = indexes.map(indexOf);
  const statementTriggers = named(couplings, 'statement trigger');
  return {
    oid,
    schema: String(relation['schema']),
    name: String(relation['name']),
    sqlName,
    columns,
    primaryKey: uniqueIndexes.find((index) => index.primary)?.columns ?? null,
    uniqueIndexes,
    exclusionConstraints: named(couplings, 'exclusion'),
    ...(named(couplings, 'late').length === 0 ? {} : { checkedLate: true }),
    rowTriggers: named(couplings, 'trigger'),
    ...(statementTriggers.length === 0 ? {} : { statementTriggers }),
    rules: named(couplings, 'rule'),
    selfReferences: named(couplings, 'self'),
    copiesLikeInsert: relation['copies_like_insert'] === true,
    ...(relation['inherited'] === true ? { inherited: true } : {}),
    ...(relation['unlogged'] === true ? { unlogged: true } : {}),
    ...(relation['row_security'] === true ? { rowSecurity: true } : {}),
    estimatedRows: Number(relation['estimated_rows']),
    bytes: Number(relation['bytes']),
    empty,
  };
}

function refuseOtherKinds(kind: string, sqlName: string): void {
  if (kind === 'r' || kind === 'p') return;
  const what = kind === 'f' ? 'a foreign table' : kind === 'v' ? 'a view' : 'a materialized view';
  throw new EtlError(
    'ETL_TABLE_MISSING',
    `${sqlName} is ${what}; rows can be upserted into tables only.`,
    'Name the table itself.',
    { table: sqlName },
  );
}

async function readColumns(connection: Connection, oid: number): Promise<TargetColumn[]> {
  const rows = await connection.query(READ_COLUMNS, [oid]);
  const types = await readTypes(
    connection,
    rows.map((row) => String(row['type_oid'])),
  );
  return rows.map((row) => columnOf(row, present(types.get(String(row['type_oid'])), 'a type')));
}

function columnOf(row: Row, type: TypeFacts): TargetColumn {
  const identity = String(row['identity']);
  const generated = String(row['generated']);
  return {
    name: String(row['name']),
    type: {
      declared: String(row['declared']),
      ...type,
      bytewise: type.bytewise && row['deterministic'] === true,
    },
    notNull: row['not_null'] === true,
    collation: textOrNull(row['collation']),
    hasDefault: row['has_default'] === true || identity !== '',
    ...(row['distinct_default'] === true ? { distinctDefault: true } : {}),
    generated:
      generated === 's'
        ? 'stored'
        : generated === 'v'
          ? 'virtual'
          : identity === 'a'
            ? 'identityAlways'
            : identity === 'd'
              ? 'identityByDefault'
              : 'no',
  };
}

function indexOf(row: Row): UniqueIndex {
  return {
    name: String(row['name']),
    columns: row['columns'] as readonly string[],
    primary: row['primary'] === true,
    arbiter: row['arbiter'] === true,
  };
}

function named(rows: readonly Row[], kind: string): string[] {
  return rows.filter((row) => row['kind'] === kind).map((row) => String(row['name']));
}

/** False where we may not read: a table that one may only write is treated as full. */
async function isEmpty(connection: Connection, schema: string, name: string): Promise<boolean> {
  const sql = `select not exists (select from ${quoted(schema)}.${quoted(name)} limit 1) as empty`;
  try {
    const [row] = await connection.query(sql);
    return row?.['empty'] === true;
  } catch (error) {
    if (error instanceof EtlError && error.record.facts.sqlState === '42501') return false;
    throw error;
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
