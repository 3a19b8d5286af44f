import { present } from '../assert.ts';
import { errorRecordOf } from '../errors.ts';
import type { Connection } from './connect.ts';
import { probeKeys } from './probe-keys.ts';
import {
  changedColumns,
  insertSql,
  mergeChangedSql,
  mergeSql,
  winnersSql,
  type MergeSource,
  type MergeTarget,
} from './merge-sql.ts';

/** What one merge did. inserted + updated + unchanged = the distinct keys that were staged. */
export interface MergeCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** The share of unchanged rows from which on they are dropped before the upsert. */
const UNCHANGED_SHARE_MIN = 0.8;

/**
 * Runs the merge inside the transaction that is open. It runs as EXPLAIN ANALYZE, which executes
 * and counts at no measurable cost; RETURNING would send a row for each row. Where a row trigger
 * may swallow or divert rows, EXPLAIN counts what was tried, so the rows themselves are counted.
 */
export async function merge(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
  options: { readonly countRows: boolean; readonly stagedRows: number },
): Promise<MergeCounts> {
  if (target.onConflict === 'append') {
    return inserted(await connection.execute(mergeSql(target, source)));
  }
  if (options.countRows) {
    return countReturned(connection, mergeSql(target, source), winnersSql(target, source));
  }
  const probe = await probeKeys(connection, target, source, options.stagedRows);
  if (probe?.known === 0) {
    const count = await insertNew(connection, insertSql(target, source));
    if (count !== null) return inserted(count);
  }
  const mostlyUnchanged = probe !== null && probe.unchanged >= UNCHANGED_SHARE_MIN;
  const writes = target.onConflict !== 'ignore' && changedColumns(target, source).length > 0;
  return mostlyUnchanged && writes
    ? countExplained(connection, mergeChangedSql(target, source))
    : countExplained(connection, mergeSql(target, source));
}

function inserted(count: number): MergeCounts {
  return { inserted: count, updated: 0, unchanged: 0 };
}

/**
 * Rows whose keys are all new: 500,000 of 8 columns cost the server 1.16 s as a plain INSERT and
 * 1.94 s with ON CONFLICT, which looks each key up twice and inserts speculatively. Null where the
 * table does hold one of the keys; then nothing has happened but dead rows for vacuum.
 */
async function insertNew(connection: Connection, sql: string): Promise<number | null> {
  await connection.query('savepoint etl_insert');
  try {
    const count = await connection.execute(sql);
    await connection.query('release savepoint etl_insert');
    return count;
  } catch (error) {
    const state = errorRecordOf(error).facts.sqlState;
    if (state !== '23505') throw error;
    await connection.query('rollback to savepoint etl_insert');
    return null;
  }
}

/** The nodes of EXPLAIN's JSON that we read. */
interface ExplainedNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows'?: number;
  readonly 'Tuples Inserted'?: number;
  readonly 'Conflicting Tuples'?: number;
  readonly 'Rows Removed by Conflict Filter'?: number;
  readonly Plans?: readonly ExplainedNode[];
}

async function countExplained(connection: Connection, sql: string): Promise<MergeCounts> {
  const [row] = await connection.query(
    `explain (analyze, costs off, timing off, summary off, format json)\n${sql}`,
  );
  const plans = row?.['QUERY PLAN'] as readonly { readonly Plan: ExplainedNode }[];
  const node = present(plans[0]?.Plan, 'the plan of the merge');
  const fresh = present(node['Tuples Inserted'], 'the tuples inserted');
  const conflicting = present(node['Conflicting Tuples'], 'the conflicting tuples');
  const filtered = node['Rows Removed by Conflict Filter'] ?? 0;
  const updated = sql.endsWith(' do nothing') ? 0 : conflicting - filtered;
  // The winners of `distinct on`: those that were dropped before the upsert are unchanged, too.
  const winners = Math.round(present(uniqueRows(node), 'the count of winners'));
  return { inserted: fresh, updated, unchanged: winners - fresh - updated };
}

function uniqueRows(node: ExplainedNode): number | undefined {
  if (node['Node Type'] === 'Unique') return node['Actual Rows'];
  for (const child of node.Plans ?? []) {
    const rows = uniqueRows(child);
    if (rows !== undefined) return rows;
  }
  return undefined;
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
  const fresh = Number(row?.['inserted']);
  const updated = Number(row?.['updated']);
  return { inserted: fresh, updated, unchanged: Number(winners?.['n']) - fresh - updated };
}
