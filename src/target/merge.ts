import { assert } from '../assert.ts';
import type { Connection } from './connect.ts';
import { mergeSql, winnersSql, type MergeSource, type MergeTarget } from './merge-sql.ts';

/** What one merge did. inserted + updated + unchanged = the distinct keys that were staged. */
export interface MergeCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** The nodes of EXPLAIN's JSON that we read. */
interface ExplainedInsert {
  readonly 'Tuples Inserted'?: number;
  readonly 'Conflicting Tuples'?: number;
  readonly 'Rows Removed by Conflict Filter'?: number;
}

/**
 * Runs the merge inside the transaction that is open. It runs as EXPLAIN ANALYZE, which executes
 * and counts at no measurable cost; RETURNING would send a row for each row. Where a row trigger
 * may swallow or divert rows, EXPLAIN counts what was tried, so the rows themselves are counted.
 */
export async function merge(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
  countRows: boolean,
): Promise<MergeCounts> {
  const sql = mergeSql(target, source);
  if (target.onConflict === 'append') {
    return { inserted: await connection.execute(sql), updated: 0, unchanged: 0 };
  }
  return countRows
    ? countReturned(connection, sql, winnersSql(target, source))
    : countExplained(connection, sql);
}

async function countExplained(connection: Connection, sql: string): Promise<MergeCounts> {
  const [row] = await connection.query(
    `explain (analyze, costs off, timing off, summary off, format json)\n${sql}`,
  );
  const plans = row?.['QUERY PLAN'] as readonly { readonly Plan: ExplainedInsert }[];
  const node = plans[0]?.Plan;
  const inserted = node?.['Tuples Inserted'];
  const conflicting = node?.['Conflicting Tuples'];
  assert(inserted !== undefined && conflicting !== undefined, 'EXPLAIN counts the tuples');
  const filtered = node?.['Rows Removed by Conflict Filter'] ?? 0;
  const unchanged = sql.endsWith(' do nothing') ? conflicting : filtered;
  return { inserted, updated: conflicting - unchanged, unchanged };
}

async function countReturned(
  connection: Connection,
  sql: string,
  winnersOnly: string,
): Promise<MergeCounts> {
  const [winners] = await connection.query(`select count(*)::int8 as n from (${winnersOnly}) w`);
  const [row] = await connection.query(
    `with merged as (${sql} returning (xmax = 0) as fresh)
     select count(*) filter (where fresh)::int8 as inserted,
            count(*) filter (where not fresh)::int8 as updated
       from merged`,
  );
  const inserted = Number(row?.['inserted']);
  const updated = Number(row?.['updated']);
  return { inserted, updated, unchanged: Number(winners?.['n']) - inserted - updated };
}
