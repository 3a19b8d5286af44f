import { delayMs, retryable, RETRY_POLICY } from '../conflict/retry-policy.ts';
import { errorRecordOf, EtlError, type ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { missingIndexes } from '../plan/plan-indexes.ts';
import type { IndexPlan, LoadPlan } from '../plan/plan-types.ts';
import { cancellable } from '../target/backends.ts';
import {
  createIndexSql,
  dropIndex,
  indexRights,
  indexState,
  waitForBuild,
  type IndexState,
} from '../target/indexes.ts';
import { unlockTables } from '../target/run-record.ts';
import { holdTable } from './hold-table.ts';
import { indexReports, type IndexBuild } from './index-reports.ts';
import type { LoadReport } from './report-types.ts';
import type { RunContext } from './run-context.ts';

/**
 * Makes the indexes that the load asks for and the table lacks, once all is loaded. On a table that
 * this run has created nobody waits, so it is made at once; on another one concurrently, so that
 * others may go on writing. Whoever calls it holds the table's lock, so no other run is at it.
 *
 * A concurrent build that fails leaves an invalid index, which costs each write and serves no query:
 * it is dropped. One that was cut off with its run is found by the next, which drops it and builds.
 *
 * The error is why the first one that failed did; it is null also where the run is interrupted.
 */
export async function buildIndexes(
  context: RunContext,
  load: LoadPlan,
  loadIndex: number,
): Promise<BuiltIndexes> {
  const isAborted = (): boolean => context.signal.aborted;
  const builds = new Map<string, IndexBuild | null>();
  const endWith = (error: ErrorRecord | null): BuiltIndexes => ({
    error,
    ...indexReports(load, builds),
  });
  for (const index of missingIndexes(load)) {
    if (isAborted()) break;
    try {
      builds.set(index.name, await buildWithRetries(context, load, loadIndex, index));
    } catch (error) {
      return endWith(isAborted() ? null : notMade(error, index, load.table.sqlName));
    }
  }
  return endWith(null);
}

export interface BuiltIndexes extends Pick<LoadReport, 'indexes'> {
  readonly error: ErrorRecord | null;
}

/** The same where the ledger says that all files are loaded: a run may have ended before its indexes. */
export async function buildSkippedIndexes(
  context: RunContext,
  load: LoadPlan,
  loadIndex: number,
): Promise<BuiltIndexes> {
  const { table } = load;
  const without = indexReports(load, new Map());
  if (table.oid === null || missingIndexes(load).length === 0) return { error: null, ...without };
  const { coordinator } = context;
  try {
    await holdTable(context, { oid: table.oid, sqlName: table.sqlName }, loadIndex);
    return await buildIndexes(context, load, loadIndex);
  } catch (error) {
    return { error: errorRecordOf(error), ...without };
  } finally {
    if (coordinator.usable()) await unlockTables(coordinator);
  }
}

async function buildWithRetries(
  context: RunContext,
  load: LoadPlan,
  loadIndex: number,
  index: IndexPlan,
): Promise<IndexBuild | null> {
  const { coordinator, parts, signal } = context;
  for (let attempt = 1; ; attempt++) {
    try {
      return await build(context, load, loadIndex, index);
    } catch (error) {
      const again = attempt < LIMITS.attemptsMax && retryable(errorRecordOf(error));
      if (!again || signal.aborted || !coordinator.usable()) throw error;
    }
    const delay = delayMs(attempt, RETRY_POLICY, parts.random);
    await parts.sleep(delay, signal).catch(() => undefined);
  }
}

/** Null: somebody else has made it meanwhile. */
async function build(
  context: RunContext,
  { table }: LoadPlan,
  loadIndex: number,
  index: IndexPlan,
): Promise<IndexBuild | null> {
  const { coordinator, setup, signal, onEvent } = context;
  const tell = (sentence: string): void => onEvent({ kind: 'notice', load: loadIndex, sentence });
  const state = await settledState(context, table, index);
  // A table that is filled before it gets its key gets its indexes together with it.
  if (state === 'valid') return table.create === null ? null : { concurrently: false, ms: null };
  if (state === 'another') throw takenMeanwhile(index, table.sqlName);
  if (state === 'invalid') {
    await dropIndex(coordinator, table, index.name);
    tell(`A build of the index ${index.name} was cut off: what it left is dropped.`);
  }
  const { partitioned } = await indexRights(coordinator, table);
  const how = table.create !== null || partitioned ? 'at once' : 'concurrently';
  const startedAt = performance.now();
  try {
    await cancellable(coordinator, setup, signal, (heeding) =>
      heeding.query(createIndexSql(table, index, how)),
    );
  } catch (error) {
    if (how === 'concurrently' && !signal.aborted && coordinator.usable()) {
      await dropInvalid(context, table, index, tell);
    }
    throw error;
  }
  const ms = performance.now() - startedAt;
  const seconds = (ms / 1000).toFixed(1);
  tell(`The index ${index.name} of ${table.sqlName} is made: ${index.definition}, ${seconds} s.`);
  return { concurrently: how === 'concurrently', ms };
}

/** Once no other session is building it. */
async function settledState(
  { coordinator }: RunContext,
  table: LoadPlan['table'],
  index: IndexPlan,
): Promise<IndexState> {
  const state = await indexState(coordinator, table, index);
  if (state !== 'invalid') return state;
  await waitForBuild(coordinator, table);
  return indexState(coordinator, table, index);
}

/** What cannot be dropped now is dropped by the next run. */
async function dropInvalid(
  { coordinator }: RunContext,
  table: LoadPlan['table'],
  index: IndexPlan,
  tell: (sentence: string) => void,
): Promise<void> {
  try {
    if ((await indexState(coordinator, table, index)) !== 'invalid') return;
    await dropIndex(coordinator, table, index.name);
    tell(`The index ${index.name} could not be made, and what the try left is dropped.`);
  } catch {
    tell(`The index ${index.name} could not be made, and is left invalid: the next run drops it.`);
  }
}

function takenMeanwhile({ name }: IndexPlan, table: string): EtlError {
  const sentence = `Something else took the name ${name} since the load was planned.`;
  return new EtlError('ETL_PLAN_STALE', sentence, 'Run again.', { table });
}

function notMade(error: unknown, { name }: IndexPlan, table: string): ErrorRecord {
  const { code, sentence, facts } = errorRecordOf(error);
  return new EtlError(
    code,
    `The rows are loaded, but the index ${name} of ${table} could not be made: ${sentence}`,
    'Mend the cause and run the same command again: it makes the index, and loads nothing twice.',
    facts,
  ).record;
}
