import { randomBytes } from 'node:crypto';
import { errorRecordOf } from '../errors.ts';
import type { UnchangedFound } from '../load/unchanged/find-unchanged.ts';
import type { LoadTask, SupersededRows } from '../load/unit-task.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { RunContext } from './run-context.ts';

/**
 * Where the plan says so, finds the rows of the files that the table holds as they are, so that they
 * are not sent. By ordinal: what is left to be sent of a file; files not named are sent whole.
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
): Promise<ReadonlyMap<number, SupersededRows>> {
  const stopped = (): boolean => signal.aborted;
  if (load.unchanged === undefined || stopped()) return new Map();
  const seed = new Uint32Array(new Uint8Array(randomBytes(16)).buffer);
  const files = load.files.filter((file) => file.skip === null);
  const order = { load: task, unit: 0, files, attempt: 1 };
  const session = pool.open(
    { kind: 'find-unchanged', task: order, plan: load.unchanged, seed },
    () => undefined,
  );
  try {
    const { rows, compared, leftOut } = (await session.call('find')) as UnchangedFound;
    const [left, all] = [leftOut, compared].map((count) => count.toLocaleString('en'));
    const sentence = `${left} of ${all} rows stand in ${task.sqlName} as they are, and are not sent.`;
    if (compared > 0) onEvent({ kind: 'notice', load: index, sentence });
    return rows;
  } catch (error) {
    if (stopped()) return new Map();
    const { sentence } = errorRecordOf(error);
    const notice = `The files could not be compared with ${task.sqlName}, so all rows are sent: ${sentence}`;
    onEvent({ kind: 'notice', load: index, sentence: notice });
    return new Map();
  } finally {
    await session.close();
  }
}
