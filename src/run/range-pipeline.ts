import { assert } from '../assert.ts';
import { commitInDoubt, retryable } from '../conflict/retry-policy.ts';
import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { sumCounts } from '../load/merge-unit.ts';
import { isRowFault } from '../load/quarantine/quarantine.ts';
import type { Counts } from '../target/counts.ts';
import { dropSharedStaging } from '../target/shared-staging.ts';
import type { RangeOptions } from './range-options.ts';
import { endPrepared, mergeOwners, type OwnersMerged } from './range-owners.ts';
import { rejectRefusedRows, writeRejectFiles } from './range-rejects.ts';
import { stageAll, type StagedLoad } from './range-staging.ts';
import { waitToRetry } from './wait-to-retry.ts';

export interface RangeOutcome {
  readonly status: 'merged' | 'failed' | 'not-loaded';
  readonly staged: StagedLoad;
  readonly counts: Counts | null;
  /** The file is null where the table refused what all files together brought. */
  readonly failure: { readonly file: number | null; readonly error: ErrorRecord } | null;
  /** Tries of the merge. */
  readonly attempts: number;
  readonly mergeMs: number | null;
}

/**
 * The range pipeline (`partitioned`): first every unit is staged into tables that all workers can
 * read; then each owner merges the keys that are its own, over all files at once. No two owners can
 * meet on a key, so there is nothing to prove and nobody to wait for, and each key is written once,
 * however many files hold it.
 *
 * All or nothing: the owners' transactions stay open until the last has merged. Then, where the
 * server allows prepared transactions, all are prepared before the first commits. Owner 0 carries
 * the ledger rows and commits first when prepared (the ledger then says that the rest, which cannot
 * fail any more, is to be committed), and last when not (until then the ledger says that nothing
 * was loaded, and loading all again ends in the same table).
 */
export async function runRangePipeline(options: RangeOptions): Promise<RangeOutcome> {
  const { schema, tableOid } = options.task.ledger;
  try {
    const staged = await stageAll(options);
    if (staged.failure !== null) return ended(staged, 'failed', staged.failure);
    if (options.signal.aborted) return ended(staged, 'not-loaded', null);
    return await mergeGood(options, staged);
  } finally {
    if (options.coordinator.usable()) {
      // A backend whose connection was cut may be about to create its table.
      if (options.signal.aborted) await options.untilQuiet();
      await dropSharedStaging(options.coordinator, schema, tableOid);
    }
  }
}

/** Merges; rows that the table refuses are rejected where the job says so, and the rest is merged. */
async function mergeGood(options: RangeOptions, staged: StagedLoad): Promise<RangeOutcome> {
  let good = staged;
  for (let round = 1; ; round++) {
    const tooMany = await writeRejectFiles(options, good);
    if (tooMany !== null) return ended(good, 'failed', tooMany);
    const outcome = await mergeStaged(options, good);
    const refusal = outcome.failure?.error;
    if (options.task.quarantine === null || refusal === undefined || !isRowFault(refusal)) {
      return outcome;
    }
    const rest = await rejectRefusedRows(options, good, refusal, round);
    if (rest === null) return outcome;
    good = rest;
  }
}

/** Merges, and tries again what may pass: a deadlock with other writers, a lost connection. */
async function mergeStaged(options: RangeOptions, staged: StagedLoad): Promise<RangeOutcome> {
  for (const file of staged.files) {
    options.onEvent({ kind: 'file-merging', load: options.loadIndex, file: file.file.ordinal });
  }
  let { prepare } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return merged(staged, await mergeOwners({ ...options, prepare }, staged), attempt);
    } catch (error) {
      if (options.signal.aborted) return afterAbort(options, staged);
      const record = errorRecordOf(error);
      prepare &&= !outOfRoom(record);
      const resolved = await resolveDoubt(options, staged, record, attempt);
      if (resolved !== null) return resolved;
      if (attempt >= LIMITS.attemptsMax || !retryable(record)) {
        return ended(staged, 'failed', { file: null, error: record });
      }
      await waitToRetry(options, { file: 0, attempt, error: record }, options.signal);
    }
  }
}

/**
 * out_of_memory, which the server also says where others hold all of its places for prepared transactions,
 * as they may for long.
 */
function outOfRoom({ facts }: ErrorRecord): boolean {
  return facts.sqlState === '53200';
}

/** The abort may have come while the owners committed: what they began to commit is ended. */
async function afterAbort(options: RangeOptions, staged: StagedLoad): Promise<RangeOutcome> {
  if (!options.coordinator.usable()) return ended(staged, 'not-loaded', null);
  await options.untilQuiet();
  const committed = await endPrepared(options);
  return committed ? mergedUncounted(staged, 1) : ended(staged, 'not-loaded', null);
}

/**
 * Ends what the owners prepared. Where a connection was lost while they committed, the ledger says whether
 * the load is in the table; then that is right, and only the counts went with the answer. Null: it
 * is not there, and may be tried again.
 */
async function resolveDoubt(
  options: RangeOptions,
  staged: StagedLoad,
  error: ErrorRecord,
  attempt: number,
): Promise<RangeOutcome | null> {
  let committed: boolean;
  try {
    committed = await endPrepared(options);
  } catch (lost) {
    // The coordinator's own connection is lost: the next run on the table ends what is prepared.
    if (options.coordinator.usable()) throw lost;
    return ended(staged, 'failed', { file: null, error });
  }
  if (!committed || !commitInDoubt(error)) return null;
  const sentence =
    `${options.task.sqlName} is complete, but how many rows were inserted and updated was lost ` +
    `with a connection: ${error.sentence}`;
  options.onEvent({ kind: 'notice', load: options.loadIndex, sentence });
  return mergedUncounted(staged, attempt);
}

function mergedUncounted(staged: StagedLoad, attempts: number): RangeOutcome {
  const counts = { ...sumCounts([]), rowsRead: rowsOf(staged), rejected: rejectedOf(staged) };
  return { status: 'merged', staged, counts, failure: null, attempts, mergeMs: null };
}

function merged(staged: StagedLoad, owners: OwnersMerged, attempts: number): RangeOutcome {
  const rowsRead = rowsOf(staged);
  const { inserted, updated, unchanged } = owners;
  const rejected = rejectedOf(staged);
  const superseded = rowsRead - rejected - inserted - updated - unchanged;
  assert(superseded >= 0, 'the owners do not count more rows than were staged');
  const counts = { rowsRead, inserted, updated, unchanged, superseded, rejected };
  return { status: 'merged', staged, counts, failure: null, attempts, mergeMs: owners.mergeMs };
}

function rowsOf(staged: StagedLoad): number {
  return staged.files.reduce((sum, file) => sum + file.rows, 0);
}

function rejectedOf(staged: StagedLoad): number {
  return staged.files.reduce((sum, file) => sum + file.rejected, 0);
}

function ended(
  staged: StagedLoad,
  status: 'failed' | 'not-loaded',
  failure: RangeOutcome['failure'],
): RangeOutcome {
  return { status, staged, counts: null, failure, attempts: 1, mergeMs: null };
}
