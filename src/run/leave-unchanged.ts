import { randomBytes } from 'node:crypto';
import { errorRecordOf } from '../errors.ts';
import { groupDigits } from '../group-digits.ts';
import type { UnchangedFound } from '../load/unchanged/find-unchanged.ts';
import type { LoadTask, SupersededRows } from '../load/unit-task.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import { callWorker } from './call-worker.ts';
import type { RunContext } from './run-context.ts';
import type { UnitOutcome } from './unit-outcome.ts';

export interface LeftUnchanged {
  /** By ordinal: what is left to be sent of a file; files not named are sent whole. */
  readonly rows: ReadonlyMap<number, SupersededRows>;
  /** The outcome with the time that its files took to be compared, a part of all by their bytes. */
  readonly timed: (outcome: UnitOutcome) => UnitOutcome;
}

const NOTHING_LEFT: LeftUnchanged = { rows: new Map(), timed: (outcome) => outcome };

/**
 * Where the plan says so, finds the rows of the files that the table holds as they are, so that they
 * are not sent.
 *
 * It only saves work. So where it fails, for whatever reason, the load goes on without it, with all of
 * its retries; and where the run is interrupted meanwhile, the pipeline will see that.
 */
export async function leaveUnchanged(
  { onEvent, signal }: Pick<RunContext, 'onEvent' | 'signal'>,
  load: LoadPlan,
  index: number,
  pool: WorkerPool,
  task: LoadTask,
): Promise<LeftUnchanged> {
  const stopped = (): boolean => signal.aborted;
  if (load.unchanged === undefined || stopped()) return NOTHING_LEFT;
  const startedAt = performance.now();
  const seed = new Uint32Array(new Uint8Array(randomBytes(16)).buffer);
  const files = load.files.filter((file) => file.skip === null);
  const order = { load: task, unit: 0, files, attempt: 1 };
  const comparison = { kind: 'find-unchanged', task: order, plan: load.unchanged, seed } as const;
  try {
    const found = await callWorker<UnchangedFound>(pool, comparison, 'find');
    const { rows, compared, leftOut } = found;
    const [left, all] = [leftOut, compared].map((count) => groupDigits(count));
    const sentence = `${left} of ${all} rows stand in ${task.sqlName} as they are, and are not sent.`;
    if (compared > 0) onEvent({ kind: 'notice', load: index, sentence });
    return { rows, timed: timedBy(load, performance.now() - startedAt) };
  } catch (error) {
    if (stopped()) return NOTHING_LEFT;
    const { sentence } = errorRecordOf(error);
    const notice = `The files could not be compared with ${task.sqlName}, so all rows are sent: ${sentence}`;
    onEvent({ kind: 'notice', load: index, sentence: notice });
    return { ...NOTHING_LEFT, timed: timedBy(load, performance.now() - startedAt) };
  }
}

/** Milliseconds of all files, shared out by bytes: a file that is left out costs little else. */
export function timedBy(
  { files, units }: Pick<LoadPlan, 'files' | 'units'>,
  ms: number,
): LeftUnchanged['timed'] {
  const bytesOf = (ordinals: readonly number[]): number =>
    ordinals.reduce((sum, ordinal) => sum + (files[ordinal]?.bytes ?? 0), 0);
  const all = units.reduce((sum, unit) => sum + bytesOf(unit.files), 0);
  return (outcome) => {
    const { merged, unit } = outcome;
    if (merged === null || all === 0) return outcome;
    const own = (ms * bytesOf(units[unit]?.files ?? [])) / all;
    return { ...outcome, merged: { ...merged, stageMs: merged.stageMs + own } };
  };
}
