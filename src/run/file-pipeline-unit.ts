import { assert, present } from '../assert.ts';
import { commitInDoubt, retryable } from '../conflict/retry-policy.ts';
import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { UnitPlan } from '../plan/plan-types.ts';
import type { AdmissionGate, StopSignals } from './file-pipeline-gate.ts';
import type { FilePipelineOptions, PipelineLoad } from './file-pipeline-options.ts';
import type { UnitOutcome } from './unit-outcome.ts';
import { waitToRetry } from './wait-to-retry.ts';
import type { FileFailure, MergedUnit, UnitSession } from '../load/unit-session.ts';

/** A unit on its way through one or more attempts. */
interface UnitStory {
  readonly unit: UnitPlan;
  readonly signals: StopSignals;
  attempts: number;
  waitMs: number;
  /** It was revoked, so it is not direct again. */
  revoked: boolean;
  /** The first failure stays: it has barred the later units, so it must be told. */
  failure: FileFailure | null;
  /** The last attempt may have committed: the ledger is asked even if the unit is barred by now. */
  inDoubt: boolean;
  /** What a merge resolved to, even if nobody waited for it any more. */
  committed: MergedUnit | null;
}

type AttemptEnd =
  | { readonly kind: 'merged'; readonly merged: MergedUnit }
  | { readonly kind: 'failed' | 'stopped' | 'revoked' }
  | { readonly kind: 'again'; readonly error: ErrorRecord };

/** Sees one unit to its end, through retries. At no moment is more than one session of it open. */
export async function runUnit(
  unit: UnitPlan,
  options: FilePipelineOptions,
  gate: AdmissionGate,
): Promise<UnitOutcome> {
  const story: UnitStory = {
    unit,
    signals: gate.start(unit.ordinal),
    attempts: 0,
    waitMs: 0,
    revoked: false,
    failure: null,
    inDoubt: false,
    committed: null,
  };
  for (;;) {
    story.attempts += 1;
    const end = await runAttempt(story, options, gate);
    if (end.kind === 'merged') return outcomeOf(story, end.merged);
    if (end.kind === 'revoked') {
      story.revoked = true;
      continue;
    }
    if (end.kind !== 'again') return outcomeOf(story, null);
    const goOn = await delayRetry(story, end.error, options);
    if (!goOn) return outcomeOf(story, null);
  }
}

function outcomeOf(story: UnitStory, merged: MergedUnit | null): UnitOutcome {
  const { unit, failure, attempts, waitMs } = story;
  const status = failure !== null ? 'failed' : merged !== null ? 'merged' : 'not-loaded';
  return { unit: unit.ordinal, status, merged, failure, attempts, waitMs };
}

/**
 * One session, from open to close. The gate hears of the end before the session is closed; but of a
 * direct unit that has not merged after, since then others may write the keys that it wrote.
 */
async function runAttempt(
  story: UnitStory,
  options: FilePipelineOptions,
  gate: AdmissionGate,
): Promise<AttemptEnd> {
  const { unit } = story;
  const direct = unit.direct !== undefined && !story.revoked && gate.direct(unit.ordinal);
  const session = options.workers.open(unit, story.attempts, direct);
  let end: AttemptEnd;
  try {
    end = await runSteps(session, story, options, gate).catch((error: unknown) =>
      endOfError(error, story, options),
    );
    if (!direct || end.kind === 'merged') tell(gate, story, end);
  } finally {
    await session.close();
  }
  const quicker = end.kind === 'stopped' ? story.committed : null;
  // The merge was quicker than the abort: it has committed while the session was closed.
  if (quicker !== null) end = { kind: 'merged', merged: quicker };
  if (quicker !== null || (direct && end.kind !== 'merged')) tell(gate, story, end);
  return end;
}

function tell(gate: AdmissionGate, { unit, failure }: UnitStory, end: AttemptEnd): void {
  if (end.kind === 'merged') {
    gate.merged(unit.ordinal, failure !== null);
    return;
  }
  gate.unstaged(unit.ordinal);
  if (end.kind === 'failed') gate.failed(unit.ordinal);
}

async function runSteps(
  session: UnitSession,
  story: UnitStory,
  options: FilePipelineOptions,
  gate: AdmissionGate,
): Promise<AttemptEnd> {
  const { unit } = story;
  const { stop } = story.signals;
  const staged = await untilStopped(() => session.stage(), stagingStop(story));
  story.inDoubt = false;
  if (staged.alreadyMerged !== null) return mergedEnd(story, staged.alreadyMerged);

  if (staged.failure !== null) {
    if (mayTryAgain(story, staged.failure.error)) {
      return { kind: 'again', error: staged.failure.error };
    }
    story.failure ??= staged.failure;
    if (staged.failure.file === unit.files[0]) return { kind: 'failed' };
  }
  const { keysWanted } = gate.staged(unit.ordinal, staged, staged.failure !== null);
  if (keysWanted) gate.keys(unit.ordinal, await untilStopped(() => session.exportKeys(), stop));

  const waitsFrom = options.now();
  try {
    const admitted = await untilStopped(() => gate.admitted(unit.ordinal), stop);
    if (!admitted) return { kind: 'revoked' };
  } finally {
    story.waitMs += options.now() - waitsFrom;
  }
  for (const file of unit.files) {
    options.onEvent({ kind: 'file-merging', load: options.loadIndex, file });
  }
  return mergedEnd(story, await merge(session, story));
}

/** What may stop a unit on its way to being staged: a commit in doubt is looked up even if barred. */
function stagingStop({ inDoubt, signals }: UnitStory): AbortSignal {
  return inDoubt ? signals.stopAll : signals.stop;
}

async function merge(session: UnitSession, story: UnitStory): Promise<MergedUnit> {
  const merging = async (): Promise<MergedUnit> => (story.committed = await session.merge());
  try {
    return await untilStopped(merging, story.signals.stop);
  } catch (error) {
    story.inDoubt = !(error instanceof Stopped) && commitInDoubt(errorRecordOf(error));
    throw error;
  }
}

function mergedEnd(story: UnitStory, merged: MergedUnit): AttemptEnd {
  story.failure ??= merged.failure;
  const files = new Set(merged.files.map(({ file }) => file));
  assert(
    story.failure !== null || story.unit.files.every((file) => files.has(file)),
    'a unit without a failure has merged all of its files',
  );
  return { kind: 'merged', merged };
}

function endOfError(error: unknown, story: UnitStory, { load }: FilePipelineOptions): AttemptEnd {
  if (error instanceof Stopped) return { kind: 'stopped' };
  const record = errorRecordOf(error);
  if (mayTryAgain(story, record)) return { kind: 'again', error: record };
  story.failure ??= { file: fileOfError(story.unit, record, load), error: record };
  return { kind: 'failed' };
}

/** The file that the error names; where it concerns the unit as a whole, the unit's first. */
function fileOfError({ files }: UnitPlan, { facts }: ErrorRecord, load: PipelineLoad): number {
  const named = files.find((ordinal) => {
    const file = load.files[ordinal];
    return file !== undefined && (facts.file === file.name || facts.file === file.path);
  });
  return named ?? present(files[0], 'the first file of a unit');
}

function mayTryAgain(story: UnitStory, record: ErrorRecord): boolean {
  return story.attempts < LIMITS.attemptsMax && retryable(record);
}

/** Resolves to false where the unit was stopped meanwhile. */
async function delayRetry(
  story: UnitStory,
  error: ErrorRecord,
  options: FilePipelineOptions,
): Promise<boolean> {
  const stop = stagingStop(story);
  const file = present(story.unit.files[0], 'the first file of a unit');
  const failed = { file, attempt: story.attempts, error };
  await untilStopped(() => waitToRetry(options, failed, stop), stop).catch((reason: unknown) => {
    if (!stop.aborted) throw reason;
  });
  return !stop.aborted;
}

/** Not an error that anybody sees: it unwinds the steps of a unit that is stopped. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

/**
 * The step's result, or Stopped as soon as the signal is aborted; then the step is not begun. One
 * that was begun goes on until the session is closed; how it ends is nobody's concern any more, and
 * no unhandled rejection either.
 */
function untilStopped<T>(step: () => Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onStop = (): void => reject(new Stopped());
    if (stop.aborted) {
      onStop();
      return;
    }
    stop.addEventListener('abort', onStop, { once: true });
    step()
      .finally(() => stop.removeEventListener('abort', onStop))
      .then(resolve, reject);
  });
}
