import type { Connection } from './connect.ts';
import { tableSql, type MergeTarget } from './merge-sql.ts';

export interface RowConstraint {
  readonly name: string;
  /** What PostgreSQL raises where it is violated: 23514 or 23503. */
  readonly sqlState: '23514' | '23503';
}

/**
 * The constraints of a table that look at one row of it alone: each CHECK, and each foreign key to a
 * table other than itself and `others`.
 */
export async function rowConstraints(
  connection: Connection,
  target: MergeTarget,
  others: readonly MergeTarget[],
): Promise<readonly RowConstraint[]> {
  const rows = await connection.query(READ_ROW_CONSTRAINTS, [
    tableSql(target),
    others.map(tableSql),
  ]);
  return rows.map((row) => ({
    name: String(row['name']),
    sqlState: row['kind'] === 'c' ? '23514' : '23503',
  }));
}

/** Constraints that are not enforced are there from PostgreSQL 18 on. */
const READ_ROW_CONSTRAINTS = `
select c.conname::text as name, c.contype::text as kind
  from pg_catalog.pg_constraint c
 where c.conrelid = $1::regclass
   and (c.contype = 'c'
        or c.contype = 'f' and c.confrelid <> c.conrelid
           and c.confrelid <> all ($2::text[]::regclass[]::oid[]))
   and coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
 order by c.contype, c.conname`;
