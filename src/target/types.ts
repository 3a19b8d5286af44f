import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { Connection, Row } from './connect.ts';
import { remembered } from './remembered.ts';
import { READ_TYPES } from './sql/read-types.ts';
import type { TargetType } from './table.ts';

/** Types whose equality is the equality of their bytes, so that a key has one spelling. */
const BYTEWISE = new Set([
  ...['bool', 'int2', 'int4', 'int8', 'oid', 'money', 'text', 'varchar', 'name', 'char', 'uuid'],
  ...['bytea', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'inet', 'cidr'],
  ...['macaddr', 'macaddr8', 'pg_lsn', 'bit', 'varbit', 'xid8'],
]);

/** As the catalog would describe it, for columns that no table has. */
export const TEXT_TYPE: TargetType = {
  declared: 'text',
  cast: '"pg_catalog"."text"',
  typeName: 'text',
  kind: 'base',
  element: null,
  hashable: true,
  bytewise: true,
};

/** What READ_TYPES says of each type, by oid; `declared` is added by the caller. */
export type TypeFacts = Omit<TargetType, 'declared'>;

export async function readTypes(
  connection: Connection,
  oids: readonly string[],
): Promise<ReadonlyMap<string, TypeFacts>> {
  const asked = [...new Set(oids)].sort();
  const read = async (): Promise<ReadonlyMap<string, TypeFacts>> => {
    const rows = await connection.query(READ_TYPES, [asked]);
    return new Map(rows.map((row) => [String(row['oid']), factsOf(row)]));
  };
  const lasting = asked.every((oid) => Number(oid) < OWN_OIDS_FROM);
  return lasting ? remembered(connection, `types ${asked.join(' ')}`, read) : read();
}

/** Below it lie the oids of what PostgreSQL itself brings, which nobody changes. */
const OWN_OIDS_FROM = 16_384;

function factsOf(row: Row): TypeFacts {
  const typeName = String(row['type_name']);
  const kind = kindOf(String(row['own_kind']), String(row['category']));
  return {
    cast: String(row['cast_name']),
    typeName,
    kind,
    ...ofBase(row, kind),
    element: typeof row['element'] === 'string' ? row['element'] : null,
    hashable: row['hashable'] === true,
    bytewise: BYTEWISE.has(typeName) || row['kind'] === 'e',
  };
}

/** Enums, ranges and arrays have the operators of PostgreSQL's own pseudo-types. */
function ofBase(
  row: Row,
  kind: TargetType['kind'],
): Pick<TargetType, 'baseModifier' | 'operatorSchema'> {
  const modifier = row['base_modifier'];
  const schema = String(row['base_schema']);
  const own = row['kind'] === 'b' && row['category'] !== 'A' && schema !== 'pg_catalog';
  return {
    ...(kind === 'domain' && typeof modifier === 'number' ? { baseModifier: modifier } : {}),
    ...(own ? { operatorSchema: schema } : {}),
  };
}

function kindOf(own: string, category: string): TargetType['kind'] {
  if (own === 'd') return 'domain';
  if (own === 'e') return 'enum';
  if (own === 'c') return 'composite';
  if (own === 'r') return 'range';
  if (own === 'm') return 'multirange';
  return category === 'A' ? 'array' : 'base';
}

/** Types as a user wrote them (`numeric(10,2)`), for a table that is to be created. */
export async function resolveTypes(
  connection: Connection,
  sqlTypes: readonly string[],
): Promise<TargetType[]> {
  const resolved = await Promise.all(sqlTypes.map((sqlType) => resolveType(connection, sqlType)));
  const facts = await readTypes(
    connection,
    resolved.map((type) => type.oid),
  );
  return resolved.map(({ oid, declared }) => ({
    declared,
    ...present(facts.get(oid), `type ${oid}`),
  }));
}

/**
 * The type's name is parsed by the server alone: as a column of a query that never runs. The text
 * comes from a job file, so it is checked to be a type's name and nothing more.
 */
async function resolveType(
  connection: Connection,
  sqlType: string,
): Promise<{ oid: string; declared: string }> {
  const remedy = 'Write a type as in CREATE TABLE, for example numeric(10,2) or text[].';
  if (!/^[\p{L}_"][\p{L}\p{N}_ ".,()[\]]*$/u.test(sqlType)) {
    throw new EtlError('ETL_COLUMN_TYPE', `"${sqlType}" is not the name of a type.`, remedy, {
      value: sqlType,
    });
  }
  try {
    const sql = `select cast(null as ${sqlType}) as c limit 0`;
    const fields = await connection.describe(sql);
    const field = present(fields[0], 'the described column');
    // Of a column whose type is a domain the server tells what the domain is made of.
    const [row] = await connection.query(
      `select t.oid::int8, pg_catalog.format_type(t.oid, case when t.oid = $2 then $3::int4 end) as declared
         from (select coalesce(to_regtype($1)::oid, $2::oid)) t (oid)`,
      [sqlType, field.typeOid, field.typeModifier],
    );
    return { oid: String(row?.['oid']), declared: String(row?.['declared']) };
  } catch (error) {
    if (error instanceof EtlError && error.code === 'ETL_CONNECTION') throw error;
    throw new EtlError(
      'ETL_COLUMN_TYPE',
      `The server knows no type "${sqlType}".`,
      remedy,
      { value: sqlType },
      { cause: error },
    );
  }
}
