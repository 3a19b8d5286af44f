import { Refusal } from './refusal.ts';

/** How many uploads of each job may be on their way: received, queued or loading. */
export interface Gate {
  /**
   * Whoever is let in must leave.
   *
   * @throws Refusal 429
   */
  enter(job: string): void;
  /** Of uploads that are there already, whatever the limit. */
  hold(job: string): void;
  leave(job: string): void;
  readonly inside: (job: string) => number;
}

/** `retryAfter`: seconds until there may be room again, where so many wait. */
export function createGate(
  queueMax: number,
  retryAfter: (job: string, waiting: number) => number,
): Gate {
  const counts = new Map<string, number>();
  const inside = (job: string): number => counts.get(job) ?? 0;
  const hold = (job: string): void => void counts.set(job, inside(job) + 1);
  return {
    enter: (job) => {
      const waiting = inside(job);
      if (waiting >= queueMax) {
        const seconds = retryAfter(job, waiting);
        throw new Refusal(
          429,
          `${waiting} uploads of the job ${job} wait to be loaded, and no more may.`,
          `Send it again after ${seconds} s (Retry-After), or send more rows in fewer requests.`,
          { facts: { limit: queueMax }, retryAfter: seconds },
        );
      }
      hold(job);
    },
    hold,
    leave: (job) => void counts.set(job, inside(job) - 1),
    inside,
  };
}
