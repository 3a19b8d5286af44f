import type { SupersededRows, UnitNews } from '../load/unit-task.ts';
import type { MergedUnit, StagedUnit, UnitWorkers } from '../load/unit-session.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { createCreationTurns } from './creation-turns.ts';
import type { RunEvent } from './events.ts';
import type { LoadWork } from './load-work.ts';

/** The pool's sessions as the file pipeline sees them. `leftOut`: by file, rows that are not sent. */
export function poolWorkers(
  {
    pool,
    task: load,
    plan,
    loadIndex,
    onEvent,
    rejectPaths,
  }: Omit<LoadWork, 'coordinator' | 'signal'>,
  leftOut: ReadonlyMap<number, SupersededRows>,
): UnitWorkers {
  const turns = load.createsInOrder === true ? createCreationTurns() : null;
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
        rejectPaths: ofFiles(rejectPaths, files),
        ...(leftOut.size === 0 ? {} : { superseded: ofFiles(leftOut, files) }),
      };
      const session = pool.open({ kind: 'unit', task }, (news) => {
        onEvent(eventOf(news, loadIndex, attempt));
      });
      return {
        stage: async () =>
          turns === null
            ? ((await session.call('stage')) as StagedUnit)
            : turns.stage<StagedUnit>(unit.ordinal, session),
        exportKeys: async () => (await session.call('exportKeys')) as Float64Array,
        merge: async () => (await session.call('merge')) as MergedUnit,
        close: () => session.close(),
      };
    },
  };
}

/** Those of the files alone: what goes to a worker is copied. */
export function ofFiles<T>(
  byOrdinal: ReadonlyMap<number, T>,
  files: readonly FilePlan[],
): ReadonlyMap<number, T> {
  return new Map(
    files.flatMap(({ ordinal }) => {
      const own = byOrdinal.get(ordinal);
      return own === undefined ? [] : [[ordinal, own] as const];
    }),
  );
}

export function eventOf(news: UnitNews, load: number, attempt: number): RunEvent {
  if (news.kind === 'notice') return { kind: 'notice', load, sentence: news.sentence };
  if (news.kind === 'rows-created') {
    return { kind: 'rows-created', load, table: news.table, rows: news.rows };
  }
  const { kind, file } = news;
  if (kind === 'file-started') return { kind, load, file, attempt };
  // Property by property: there is one for each of very many documents.
  if (kind === 'file-staged') return { kind, load, file, rows: news.rows };
  return { kind, load, file, rows: news.rows, bytes: news.bytes };
}
