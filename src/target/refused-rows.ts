import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Connection, Row } from './connect.ts';
import { tableSql, type MergeTarget } from './merge-sql.ts';
import { literal, quoted } from './names.ts';
import { stagedValue, type StagingTable } from './staging.ts';

/** A staged row that the table refuses. */
export interface RefusedRow {
  /** Ordinal under which it is staged; null where the table has no such column. */
  readonly file: number | null;
  readonly row: number;
}

export interface RefusedRows {
  /** The column of the table that the constraint is about, where it is about one only. */
  readonly column: string | null;
  readonly rows: readonly RefusedRow[];
}

/**
 * The staged rows that a CHECK or a foreign key of the table refuses, found by one query: of a million rows
 * with a single bad one that costs a scan of what is staged, where to try ever smaller pieces merges nearly
 * all of them once more. Null where the constraint needs more than what is staged (another column, a row of
 * the same load), is of another kind, or may not be asked: then rows have to be tried.
 */
export async function rowsRefusedBy(
  connection: Connection,
  target: MergeTarget,
  table: StagingTable,
  constraint: string,
): Promise<RefusedRows | null> {
  try {
    const [found] = await connection.query(READ_CONSTRAINT, [tableSql(target), constraint]);
    if (found === undefined) return null;
    const names = found['columns'] as readonly string[];
    const staged = new Set(table.columns.map((column) => column.target));
    if (names.length === 0 || !names.every((name) => staged.has(name))) return null;
    const refused = found['kind'] === 'c' ? String(found['expression']) : missingParent(found);
    const rows = await connection.query(refusedSql(table, refused));
    const [column = null, ...others] = names;
    return {
      column: others.length === 0 ? column : null,
      rows: rows.map((row) => ({
        file: row['file'] === null ? null : Number(row['file']),
        row: Number(row['row']),
      })),
    };
  } catch (error) {
    // The parent may not be read, or an expression names what a query cannot.
    if (error instanceof EtlError && /^(?:22|42)/.test(error.record.facts.sqlState ?? '')) {
      return null;
    }
    throw error;
  }
}

/** The column of the table that a CHECK or a foreign key is about, where it is about one only. */
export async function constraintColumn(
  connection: Connection,
  target: MergeTarget,
  constraint: string,
): Promise<string | null> {
  const [found] = await connection.query(READ_CONSTRAINT, [tableSql(target), constraint]);
  const [column = null, ...others] = (found?.['columns'] ?? []) as readonly string[];
  return others.length === 0 ? column : null;
}

/** Parameters: table as SQL, name. A foreign key to the table itself looks at rows of the load. */
const READ_CONSTRAINT = `
select c.contype::text as kind,
       case when c.contype = 'c' then pg_catalog.pg_get_expr(c.conbin, c.conrelid) end as expression,
       array(select a.attname::text
               from unnest(c.conkey) with ordinality as k (attnum, place)
               join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum
              order by k.place) as columns,
       array(select a.attname::text
               from unnest(c.confkey) with ordinality as k (attnum, place)
               join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum
              order by k.place) as parent_columns,
       array(select quote_ident(n.nspname) || '.' || o.oprname
               from unnest(c.conpfeqop) with ordinality as k (operator, place)
               join pg_catalog.pg_operator o on o.oid = k.operator
               join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
              order by k.place) as operators,
       case when c.contype = 'f' then c.confrelid::regclass::text end as parent,
       c.confmatchtype = 'f' as match_full
  from pg_catalog.pg_constraint c
 where c.conrelid = $1::regclass and c.conname = $2
   and (c.contype = 'c' or c.contype = 'f' and c.confrelid <> c.conrelid)`;

/** What holds of a row that has its parent, or needs none. */
function missingParent(found: Row): string {
  const columns = (found['columns'] as readonly string[]).map(quoted);
  const parents = (found['parent_columns'] as readonly string[]).map(quoted);
  const operators = found['operators'] as readonly string[];
  const equal = columns.map(
    (column, place) => `p.${parents[place] ?? ''} operator(${operators[place] ?? ''}) s.${column}`,
  );
  const exists = `exists (select from ${String(found['parent'])} p where ${equal.join(' and ')})`;
  const nulls = columns.map((column) => `s.${column} is null`);
  const none = nulls.join(found['match_full'] === true ? ' and ' : ' or ');
  return `${none} or ${exists}`;
}

/**
 * The staged values under the names of the table's columns, which is how the catalog spells its
 * expressions; our own two columns have names that no sane column has.
 */
function refusedSql(table: StagingTable, holds: string): string {
  const values = table.columns.flatMap((column) =>
    column.target === null ? [] : [`${stagedValue(column)} as ${quoted(column.target)}`],
  );
  const file = table.fileColumn ? 'etl_file' : 'null::integer';
  return `select s."etl file" as file, s."etl row" as row
  from (select ${file} as "etl file", etl_row as "etl row", ${values.join(', ')}
          from ${table.sqlName}${table.where === undefined ? '' : ` where ${table.where}`}) s
 where not (${holds})
 order by s."etl file", s."etl row" limit ${LIMITS.refusedRowsHeldMax}`;
}

/** Takes rows out of staging. */
export async function deleteRows(
  connection: Connection,
  table: StagingTable,
  rows: readonly RefusedRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const file = table.fileColumn ? ' and etl_file = r.file' : '';
  await connection.query(
    `delete from ${table.sqlName}
      using json_to_recordset(${literal(JSON.stringify(rows))}) as r (file integer, "row" bigint)
      where etl_row = r."row"${file}`,
  );
}
