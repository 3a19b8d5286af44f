import type { UnitNews } from '../load/unit-task.ts';

export interface NewsBatch {
  add(news: UnitNews): void;
  /** Posts what is gathered, before an answer that must not overtake it. */
  flush(): void;
}

/**
 * News of one turn of the event loop go as one message: a message each cost a load of 10,000 small
 * files 0.7 s of CPU, a fifth of all that the client took.
 */
export function createNewsBatch(post: (news: readonly UnitNews[]) => void): NewsBatch {
  let gathered: UnitNews[] = [];
  const flush = (): void => {
    if (gathered.length === 0) return;
    const news = gathered;
    gathered = [];
    post(news);
  };
  return {
    add: (news) => {
      if (gathered.length === 0) setImmediate(flush);
      gathered.push(news);
    },
    flush,
  };
}
