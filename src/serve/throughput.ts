/** How fast uploads of one queue have ended lately. */
export interface Throughput {
  note(uploads: number, seconds: number): void;
  /** Seconds until half of so many will have ended; from 1 to 120. */
  retryAfter(waiting: number): number;
}

/** Weight of the newest run: after ten runs what was before them counts for a tenth. */
const WEIGHT = 0.2;
/** Before anything is known, and as bounds of what is told. */
const SECONDS_FIRST = 0.05;
const SECONDS_MIN = 1;
const SECONDS_MAX = 120;

/**
 * Half of the queue, since whoever comes back when it is empty has let the service idle, and whoever
 * comes back at once finds it full.
 */
export function createThroughput(): Throughput {
  let secondsEach = SECONDS_FIRST;
  return {
    note: (uploads, seconds) => {
      if (uploads > 0) secondsEach += WEIGHT * (seconds / uploads - secondsEach);
    },
    retryAfter: (waiting) =>
      Math.min(SECONDS_MAX, Math.max(SECONDS_MIN, Math.ceil((waiting * secondsEach) / 2))),
  };
}
