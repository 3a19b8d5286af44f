import type { LoadTask, UnitNews } from '../load/unit-task.ts';
import type { MergedUnit, StagedUnit, UnitWorkers } from '../load/unit-session.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { RunEvent } from './events.ts';

/** The pool's sessions as the file pipeline sees them. */
export function poolWorkers(
  pool: WorkerPool,
  load: LoadTask,
  plan: Pick<LoadPlan, 'files'>,
  loadIndex: number,
  onEvent: (event: RunEvent) => void,
): UnitWorkers {
  return {
    open: (unit, attempt, direct) => {
      const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
      const window = direct ? unit.direct : undefined;
      const task = { load, unit: unit.ordinal, files, attempt, direct: window };
      const session = pool.open({ kind: 'unit', task }, (news) => {
        onEvent(eventOf(news, loadIndex, attempt));
      });
      return {
        stage: async () => (await session.call('stage')) as StagedUnit,
        exportKeys: async () => (await session.call('exportKeys')) as Float64Array,
        merge: async () => (await session.call('merge')) as MergedUnit,
        close: () => session.close(),
      };
    },
  };
}

export function eventOf(news: UnitNews, load: number, attempt: number): RunEvent {
  return news.kind === 'file-started' ? { ...news, load, attempt } : { ...news, load };
}
