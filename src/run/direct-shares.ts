import { assert, present } from '../assert.ts';
import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import { plainSentence } from '../load/copy-error.ts';
import type { CopiedPart } from '../load/direct-share.ts';
import { insertedOnly, ledgerEntry } from '../load/merge-unit.ts';
import { refuseChanged } from '../source/refuse-changed.ts';
import type { StagedFile } from '../load/unit-task.ts';
import type { DirectShares, UnitPlan } from '../plan/plan-types.ts';
import type { WorkerSession } from '../pool/worker-pool.ts';
import { hashFile } from '../source/content-hash.ts';
import { literal } from '../target/names.ts';
import { preparedName } from '../target/prepared.ts';
import { writeLedger } from '../target/write-ledger.ts';
import type { FreshOutcome } from './fresh-load.ts';
import { createPartEvents } from './part-events.ts';
import { cutFiles, placeParts } from './place-parts.ts';
import type { RangeOptions } from './range-options.ts';
import { endPrepared, fileDigest } from './range-owners.ts';

/** As of a table that is filled before it has its key; `units` are the parts that were copied. */
export interface SharesOutcome extends FreshOutcome {
  readonly files: readonly StagedFile[];
  readonly units: readonly UnitPlan[];
}

/**
 * Copies large files whose rows seem to be new, sorted, and above all keys of the table into the table
 * itself, all workers at once, each a stretch of the bytes. Where the stretches meet is guessed, and
 * with it the window of each: from its first key up to the first of the next. The copy proves both: the
 * scanner of each part must come to its end between two records, and COPY keeps each to its window.
 * Windows do not meet, so no worker waits for a key of another, and no key is there twice.
 *
 * All or nothing: whatever turns out otherwise (a key out of order, a bad row, a lost connection), all roll
 * back, and the load is staged instead. What a crash leaves is as with the owners of the range
 * pipeline. Where the server allows prepared transactions, all are prepared, then the ledger is
 * written, then they commit: it tells the next run whether to end or to undo them. Where the server
 * does not, all commit and then the ledger is written: of a run that died in between the ledger knows
 * nothing, and upserting the files over their own rows ends in the same table. That is not so of
 * `append`, which has no key and never comes here.
 *
 * Three million new rows of 8 columns (200 MB) above 100,000, by two workers, CPU seconds of the server
 * and of the client: 7.1 and 1.4; the same rows in eight files 7.5 and 1.8; by one worker 5.7 and 1.3, who
 * keeps no second processor busy; in parts that are staged 13.2 and 1.4. WAL 402, 402, 382 and 540 MB. Only
 * the last share appends to the end of the index, which splits its pages there without leaving them
 * half empty: it is 92 MB as of eight files, and 66 by one worker.
 */
export async function runDirectShares(
  options: RangeOptions,
  planned: DirectShares,
): Promise<SharesOutcome | null> {
  const sessions: WorkerSession[] = [];
  const close = (): Promise<unknown> => Promise.all(sessions.map((session) => session.close()));
  let copied: SharesOutcome | null = null;
  try {
    copied = await copyShares(options, planned, sessions);
    const startedAt = performance.now();
    await commitAll(options, sessions, copied.files);
    await close();
    return { ...copied, mergeMs: performance.now() - startedAt };
  } catch (error) {
    await close();
    if (options.signal.aborted) await options.untilQuiet();
    // The error may have come between the commits: then the ledger decides.
    if (copied !== null && options.coordinator.usable() && (await endPrepared(options)))
      return copied;
    if (!options.signal.aborted) tellFallback(options, errorRecordOf(error));
    return null;
  }
}

async function copyShares(
  options: RangeOptions,
  planned: DirectShares,
  sessions: WorkerSession[],
): Promise<SharesOutcome> {
  const units = planned.shares.flat();
  // None could end before the others, so one that has no place yet would wait for ever.
  assert(planned.shares.length <= options.plan.concurrency, 'each share has a worker');
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const parts = await placeParts(options, planned);
  signal.throwIfAborted();
  const hashes = hashesOf(options, units, signal);
  // It is heard below, if the copies end well.
  hashes.catch(() => undefined);
  const tell = createPartEvents(options.loadIndex, options.onEvent);
  for (const [index, share] of planned.shares.entries()) {
    const prepareAs = options.prepare ? nameOf(options, index) : null;
    const own = share.map(({ ordinal }) => present(parts.get(ordinal), 'the part of a share'));
    const task = { load: options.task, parts: own, prepareAs };
    const session = options.pool.open({ kind: 'direct-share', task }, (news) => {
      const unit = share.find(({ files }) => files[0] === news.file);
      tell(present(unit, 'the part that is told of'), news, 1);
    });
    sessions.push(session);
  }
  try {
    const copied = await copyAll(sessions);
    const stageMs = new Map(copied.map(({ unit, copyMs }) => [unit, copyMs]));
    const files = filesOf(options, units, copied, await hashes);
    return { units, files, stageMs, mergeMs: 0 };
  } finally {
    stop.abort();
  }
}

/** The first that fails ends all: one may wait for the keys of another, which waits for its commit. */
async function copyAll(sessions: readonly WorkerSession[]): Promise<CopiedPart[]> {
  const copies = sessions.map((session) => session.call('copy') as Promise<CopiedPart[]>);
  try {
    return (await Promise.all(copies)).flat();
  } catch (error) {
    await Promise.all(sessions.map((session) => session.close()));
    throw error;
  }
}

/** Of the files that are cut, which nobody else reads whole. */
async function hashesOf(
  { plan }: RangeOptions,
  units: readonly UnitPlan[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, string>> {
  const hashes = new Map<number, string>();
  for (const file of cutFiles(plan, units)) {
    hashes.set(file.ordinal, await hashFile(file.path, signal));
    await refuseChanged(file);
  }
  return hashes;
}

function filesOf(
  { plan }: RangeOptions,
  units: readonly UnitPlan[],
  copied: readonly CopiedPart[],
  hashes: ReadonlyMap<number, string>,
): StagedFile[] {
  const files = new Map<number, { rows: number; contentHash: string | null }>();
  for (const { unit, rows, contentHash } of copied) {
    const [ordinal = -1] = present(units[unit], 'the part that was copied').files;
    const before = files.get(ordinal)?.rows ?? 0;
    files.set(ordinal, { rows: before + rows, contentHash: hashes.get(ordinal) ?? contentHash });
  }
  return [...files].map(([ordinal, { rows, contentHash }]) => ({
    file: present(plan.files[ordinal], 'a file that was copied'),
    rows,
    staged: rows,
    contentHash,
    stagedAs: ordinal,
    numbered: false,
    sifted: false,
    rejected: 0,
    spools: [],
  }));
}

async function commitAll(
  options: RangeOptions,
  sessions: readonly WorkerSession[],
  files: readonly StagedFile[],
): Promise<void> {
  const { coordinator, task, prepare, loadIndex, onEvent } = options;
  for (const { file } of files) {
    onEvent({ kind: 'file-merging', load: loadIndex, file: file.ordinal });
  }
  await Promise.all(sessions.map((session) => session.call(prepare ? 'prepare' : 'commit')));
  const entries = files.map((one) => ledgerEntry(one, insertedOnly(one.rows)));
  await writeLedger(coordinator, task.ledger, entries);
  if (!prepare) return;
  for (const index of sessions.keys()) {
    await coordinator.query(`commit prepared ${literal(nameOf(options, index))}`);
  }
}

function nameOf(options: RangeOptions, index: number): string {
  return preparedName(options.task.ledger, index, fileDigest(options));
}

function tellFallback({ onEvent, loadIndex, task }: RangeOptions, { sentence }: ErrorRecord): void {
  const told =
    `The rows could not be copied into ${task.sqlName} directly ` +
    `(${plainSentence(sentence, null, null)}) They are staged instead.`;
  onEvent({ kind: 'notice', load: loadIndex, sentence: told });
}
