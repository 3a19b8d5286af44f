import { present } from '../assert.ts';
import { errorRecordOf } from '../errors.ts';
import type { Connection } from './connect.ts';
import { mergeChangedSql, mergeDistinctChangedSql } from './changed-rows-sql.ts';
import { countReturned } from './count-returned.ts';
import type { MergeCounts } from './counts.ts';
import { countDistinctKeys } from './distinct-keys.ts';
import { inOrderSql, mergeInOrder, mergeRowByRow } from './merge-in-order.ts';
import { winnersInTurn } from './merge-coupled-sql.ts';
import { mergeStretches } from './merge-stretches.ts';
import { probeKeys, type Probe } from './probe-keys.ts';
import {
  changedColumns,
  insertDistinctSql,
  insertSql,
  mergeSql,
  winnersSql,
  type MergeSource,
  type MergeTarget,
} from './merge-sql.ts';
import { useSchemas } from './use-schemas.ts';

/** The share of unchanged rows from which on they are dropped before the winners are upserted. */
const UNCHANGED_SHARE_MIN = 0.8;
/** The same where no winners need be chosen, since each key is staged once. */
const UNCHANGED_SHARE_DISTINCT_MIN = 0.5;
/** The share of rows in the order of the key that makes them be looked up as they come. */
const ASCENDING_SHARE_MIN = 0.95;
/** Size of the table, in stagings, up to which the planner may hash it. */
const JOINED_TABLE_SHARE_MAX = 2;

export interface MergeOptions {
  /** Whether the table has row triggers. */
  readonly countRows: boolean;
  readonly stagedRows: number;
  /** See mergeRowByRow; absent: as fast as may be. */
  readonly rowByRow?: true;
}

/**
 * Runs the merge inside the transaction that is open. It runs as EXPLAIN ANALYZE, which executes
 * and counts at no measurable cost; RETURNING would send a row for each row. With row triggers, which
 * EXPLAIN does not heed, rows are merged in their own order, and counted themselves.
 */
export async function merge(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
  options: MergeOptions,
): Promise<MergeCounts> {
  await useSchemas(connection, target.columns);
  if (target.onConflict === 'append') {
    return inserted(await connection.execute(mergeSql(target, source)));
  }
  if (options.rowByRow === true) return mergeRowByRow(connection, target, source);
  if (options.countRows && source.owner === null) return mergeInOrder(connection, target, source);
  if (target.coupled === true && source.owner === null) {
    return mergeCoupled(connection, target, source, options.stagedRows);
  }
  const upsert = target.compare === undefined ? mergeSql : mergeChangedSql;
  if (options.countRows) {
    const keys = await countWinners(connection, target, source);
    return countReturned(connection, target, upsert(target, source), keys);
  }
  const probe = await probeKeys(connection, target, source, options.stagedRows);
  const merged = probe === null ? null : await mergeAsProbed(connection, target, source, probe);
  return merged ?? countExplained(connection, upsert(target, source), null);
}

/**
 * The merge of a table in which a row may be refused because of a row of another key. Winners alone, in the
 * order of the key, would take rows that a load row by row refuses: one whose value a later row of the same
 * merge frees, or that loses to a later one itself. So rows with distinct keys are merged by one statement in
 * their own order, in which the server checks each row as it comes; of others the winners, if they take and free
 * what all rows do, or else all, in stretches of distinct keys; rows that are all new are refused in any order.
 * Only what the server checks late, once a statement has ended, is merged row by row.
 *
 * 100,000 rows of 4 columns in random order with a unique text, 50,000 keys, each twice, CPU of the server for
 * the whole load, into an empty table and into one that has the keys, row by row 1.9 and 2.4 s: where each key
 * keeps its text, by winners 0.8 and 1.1 s; where each hundredth does not, in 25 stretches 1.0 and 1.2 s; where
 * none does, in 267 stretches 2.0 and 2.3 s. The worst that stretches can meet are neighbours of one key:
 * 50,000 stretches 2.2 s, row by row 1.75.
 */
async function mergeCoupled(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
  stagedRows: number,
): Promise<MergeCounts> {
  if (target.checkedLate === true) return mergeRowByRow(connection, target, source);
  const keys = await countDistinctKeys(connection, target, source);
  if (keys === null) {
    const winners = await winnersInTurn(connection, target, source);
    return winners === null
      ? mergeStretches(connection, target, source)
      : countExplained(connection, winners.sql, winners.keys);
  }
  const probe = await probeKeys(connection, target, source, stagedRows);
  const count =
    probe?.known === 0 ? await insertNew(connection, insertDistinctSql(target, source)) : null;
  return count === null
    ? countExplained(connection, inOrderSql(target, source), keys)
    : inserted(count);
}

/**
 * The form for the rows that the probe saw; null where the general one is best. Rows in the order of
 * the key whose keys are distinct need no sort, which costs more than to see that they are so.
 */
async function mergeAsProbed(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
  probe: Probe,
): Promise<MergeCounts | null> {
  const writes = target.onConflict !== 'ignore' && changedColumns(target, source).length > 0;
  const looksUnchanged = writes && probe.unchanged >= UNCHANGED_SHARE_DISTINCT_MIN;
  if (probe.known > 0 && !looksUnchanged) return null;
  const inOrder = probe.ascending >= ASCENDING_SHARE_MIN;
  const keys = inOrder ? await countDistinctKeys(connection, target, source) : null;
  if (probe.known === 0) {
    const insert = keys === null ? insertSql : insertDistinctSql;
    const count = await insertNew(connection, insert(target, source));
    return count === null ? null : inserted(count);
  }
  if (keys !== null) {
    const joins = probe.tableShare !== null && probe.tableShare <= JOINED_TABLE_SHARE_MAX;
    const sql = mergeDistinctChangedSql(target, source, joins ? 'join' : 'lookup');
    return countExplained(connection, sql, keys);
  }
  if (probe.unchanged < UNCHANGED_SHARE_MIN) return null;
  return countExplained(connection, mergeChangedSql(target, source), null);
}

function inserted(count: number): MergeCounts {
  return { inserted: count, updated: 0, unchanged: 0 };
}

/**
 * Rows whose keys are all new: 500,000 of 8 columns cost the server 1.16 s as a plain INSERT and
 * 1.94 s with ON CONFLICT, which looks each key up twice and inserts speculatively. Null where the
 * table does hold one of the keys; then nothing has happened but dead rows for vacuum.
 *
 * With the staging of such rows, in order and above the table's keys, 1.9 s, or 1.5 s where no sort
 * is needed; COPY into the indexed table itself takes 1.05 s, and 74 MB of WAL instead of 98 MB, which
 * is what units do whose keys seem to lie above the table's (UnitPlan.direct).
 */
async function insertNew(connection: Connection, sql: string): Promise<number | null> {
  try {
    // The savepoint goes with the statement, and ends with the transaction.
    return await connection.execute(`savepoint etl_insert;\n${sql}`);
  } catch (error) {
    const { sqlState = '' } = errorRecordOf(error).facts;
    if (!TAKEN.has(sqlState)) throw error;
    await connection.query('rollback to savepoint etl_insert');
    return null;
  }
}

/**
 * unique_violation, and exclusion_violation: the index of an exclusion constraint that is older than
 * that of the key is asked before it, and may refuse the row that ON CONFLICT would have updated.
 */
const TAKEN: ReadonlySet<string> = new Set(['23505', '23P01']);

/** The nodes of EXPLAIN's JSON that we read. */
interface ExplainedNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows'?: number;
  readonly 'Tuples Inserted'?: number;
  readonly 'Conflicting Tuples'?: number;
  readonly 'Rows Removed by Conflict Filter'?: number;
  readonly Plans?: readonly ExplainedNode[];
}

/** `keys` are staged, where that is known; else the plan tells how many winners it chose. */
async function countExplained(
  connection: Connection,
  sql: string,
  keys: number | null,
): Promise<MergeCounts> {
  const [row] = await connection.query(
    `explain (analyze, costs off, timing off, summary off, format json)\n${sql}`,
  );
  const plans = row?.['QUERY PLAN'] as readonly { readonly Plan: ExplainedNode }[];
  const node = present(plans[0]?.Plan, 'the plan of the merge');
  const fresh = present(node['Tuples Inserted'], 'the tuples inserted');
  const conflicting = present(node['Conflicting Tuples'], 'the conflicting tuples');
  const filtered = node['Rows Removed by Conflict Filter'] ?? 0;
  const updated = sql.endsWith(' do nothing') ? 0 : conflicting - filtered;
  // All winners, also those that were dropped before the upsert, since they are unchanged.
  const winners = keys ?? Math.round(present(uniqueRows(node), 'the count of winners'));
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

async function countWinners(
  connection: Connection,
  target: MergeTarget,
  source: MergeSource,
): Promise<number> {
  const winners = winnersSql(target, source);
  const [row] = await connection.query(`select count(*)::int8 as n from (${winners}) w`);
  return Number(row?.['n']);
}
