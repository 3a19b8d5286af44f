import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Connection } from './connect.ts';
import { tableSql, type MergeTarget } from './merge-sql.ts';
import { quoted } from './names.ts';
import { stagedValue, type StagingTable } from './staging.ts';

/** A CHECK of the table over columns that are all staged. */
export interface StagedCheck {
  readonly name: string;
  /** The column that it is about, where it is about one only. */
  readonly column: string | null;
  readonly expression: string;
}

/** A staged row that a CHECK refuses. */
export interface CheckedRow {
  /** Ordinal under which it is staged; null where the table has no such column. */
  readonly file: number | null;
  readonly row: number;
  readonly check: StagedCheck;
}

export async function readChecks(
  connection: Connection,
  target: MergeTarget,
  table: StagingTable,
): Promise<StagedCheck[]> {
  const staged = new Set(table.columns.map((column) => column.target));
  const found = await connection.query(READ_CHECKS, [tableSql(target)]);
  return found.flatMap((row) => {
    const columns = row['columns'] as readonly string[];
    if (columns.length === 0 || !columns.every((name) => staged.has(name))) return [];
    const [column = null, ...others] = columns;
    return [
      {
        name: String(row['name']),
        column: others.length === 0 ? column : null,
        expression: String(row['expression']),
      },
    ];
  });
}

const READ_CHECKS = `
select c.conname as name, pg_catalog.pg_get_expr(c.conbin, c.conrelid) as expression,
       array(select a.attname::text
               from unnest(c.conkey) with ordinality as k (attnum, place)
               join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum
              order by k.place) as columns
  from pg_catalog.pg_constraint c
 where c.conrelid = $1::regclass and c.contype = 'c'
 order by c.conname`;

/**
 * The first staged rows that a CHECK refuses, in order, each with the first such CHECK by name, which
 * is the one that PostgreSQL names. None where an expression cannot be evaluated by a query of its own
 * (it divides by zero, or may not be asked): then the merge tells.
 */
export async function rowsRefusedByChecks(
  connection: Connection,
  table: StagingTable,
  checks: readonly StagedCheck[],
  limit: number = LIMITS.refusedRowsHeldMax,
): Promise<CheckedRow[]> {
  // The catalog spells its expressions by the names of the table's columns.
  const values = table.columns.flatMap((column) =>
    column.target === null ? [] : [`${stagedValue(column)} as ${quoted(column.target)}`],
  );
  const file = table.fileColumn ? 'etl_file' : 'null::integer';
  const cases = checks.map(({ expression }, place) => `when not (${expression}) then ${place}`);
  const sql = `select s."etl file" as file, s."etl row" as row, s."etl check" as broken
  from (select "etl file", "etl row", case ${cases.join(' ')} end as "etl check"
          from (select ${file} as "etl file", etl_row as "etl row", ${values.join(', ')}
                  from ${table.sqlName}) v) s
 where s."etl check" is not null
 order by s."etl file", s."etl row" limit ${limit}`;
  try {
    const rows = await connection.query(sql);
    return rows.flatMap((row) => {
      const check = checks[Number(row['broken'])];
      const of = row['file'] === null ? null : Number(row['file']);
      return check === undefined ? [] : [{ file: of, row: Number(row['row']), check }];
    });
  } catch (error) {
    const state = error instanceof EtlError ? (error.record.facts.sqlState ?? '') : '';
    if (/^(?:22|42)/.test(state)) return [];
    throw error;
  }
}
