import type { UnitNews } from '../load/unit-task.ts';
import type { UnitPlan } from '../plan/plan-types.ts';
import type { RunEvent } from './events.ts';
import { eventOf } from './pool-workers.ts';

export type TellNews = (unit: UnitPlan, news: UnitNews, attempt: number) => void;

interface PartProgress {
  readonly rows: number;
  readonly bytes: number;
  readonly staged: boolean;
}

/**
 * News of units as events of files. A file whose parts are at work at the same time starts once, has
 * the rows and bytes of all of them, and is staged when the last of them is.
 */
export function createPartEvents(load: number, onEvent: (event: RunEvent) => void): TellNews {
  const files = new Map<number, Map<number, PartProgress>>();
  return ({ part, bytes }, news, attempt) => {
    if (part === null || news.kind === 'notice' || news.kind === 'rows-created') {
      onEvent(eventOf(news, load, attempt));
      return;
    }
    const { file } = news;
    const before = files.get(file);
    const parts = before ?? new Map<number, PartProgress>();
    files.set(file, parts);
    if (news.kind === 'file-started') {
      parts.set(part.index, { rows: 0, bytes: 0, staged: false });
      if (before === undefined) onEvent({ kind: 'file-started', load, file, attempt });
      return;
    }
    const staged = news.kind === 'file-staged';
    parts.set(part.index, { rows: news.rows, bytes: staged ? bytes : news.bytes, staged });
    const all = [...parts.values()];
    const rows = all.reduce((sum, one) => sum + one.rows, 0);
    if (all.length === part.of && all.every((one) => one.staged)) {
      onEvent({ kind: 'file-staged', load, file, rows });
    } else {
      const read = all.reduce((sum, one) => sum + one.bytes, 0);
      onEvent({ kind: 'file-progress', load, file, rows, bytes: read });
    }
  };
}
