import type { LoadTask, UnitNews } from '../load/unit-task.ts';
import type { MergedUnit, StagedUnit, UnitWorkers } from '../load/unit-session.ts';
import type { FilePlan, LoadPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { RunEvent } from './events.ts';

/** The pool's sessions as the file pipeline sees them. */
export function poolWorkers(
  pool: WorkerPool,
  load: LoadTask,
  plan: Pick<LoadPlan, 'files'>,
  loadIndex: number,
  onEvent: (event: RunEvent) => void,
  rejectPaths: ReadonlyMap<number, string> = new Map(),
): UnitWorkers {
  return {
    open: (unit, attempt, direct) => {
      const files = unit.files.flatMap((ordinal) => plan.files[ordinal] ?? []);
      const window = direct ? unit.direct : undefined;
      const task = {
        load,
        unit: unit.ordinal,
        files,
        attempt,
        direct: window,
        rejectPaths: pathsOf(rejectPaths, files),
      };
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

/** Those of the files alone: what goes to a worker is copied. */
export function pathsOf(
  rejectPaths: ReadonlyMap<number, string>,
  files: readonly FilePlan[],
): ReadonlyMap<number, string> {
  return new Map(
    files.flatMap(({ ordinal }) => {
      const path = rejectPaths.get(ordinal);
      return path === undefined ? [] : [[ordinal, path]];
    }),
  );
}

export function eventOf(news: UnitNews, load: number, attempt: number): RunEvent {
  if (news.kind === 'notice') return { kind: 'notice', load, sentence: news.sentence };
  if (news.kind === 'rows-created') {
    return { kind: 'rows-created', load, table: news.table, rows: news.rows };
  }
  return news.kind === 'file-started' ? { ...news, load, attempt } : { ...news, load };
}
