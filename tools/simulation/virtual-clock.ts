/**
 * Time that passes only when everybody sleeps. The code under test runs on real promises; whatever it
 * does between two sleeps takes no time. Sleepers wake one at a time, the earliest first, so a run
 * depends on nothing but the delays, and those on the seed.
 */
export interface VirtualClock {
  /** Milliseconds since the start. */
  readonly now: () => number;
  /** Ends early, by rejecting, when the signal is aborted: as timers/promises do. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Lets time pass until the work has ended. `stuck`: nobody sleeps, and it has not. */
  run<T>(work: Promise<T>): Promise<WorkEnd<T>>;
}

export type WorkEnd<T> =
  | { readonly kind: 'resolved'; readonly value: T }
  | { readonly kind: 'rejected'; readonly reason: unknown }
  | { readonly kind: 'stuck' };

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export function createVirtualClock(): VirtualClock {
  const sleepers = new Set<Sleeper>();
  let time = 0;

  return {
    now: () => time,

    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const leave = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', onAbort);
        };
        const onAbort = (): void => {
          leave();
          reject(new Error('The sleep was aborted.'));
        };
        const sleeper: Sleeper = {
          at: time + ms,
          wake: () => {
            leave();
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', onAbort);
        if (signal?.aborted === true) onAbort();
      }),

    async run<T>(work: Promise<T>): Promise<WorkEnd<T>> {
      const ends: WorkEnd<T>[] = [];
      work.then(
        (value) => ends.push({ kind: 'resolved', value }),
        (reason: unknown) => ends.push({ kind: 'rejected', reason }),
      );
      for (;;) {
        await everythingElse();
        const [end] = ends;
        if (end !== undefined) return end;
        const sleeper = earliest(sleepers);
        if (sleeper === null) return { kind: 'stuck' };
        time = sleeper.at;
        sleeper.wake();
      }
    },
  };
}

/** Of two that wake at the same moment, the one that went to sleep first. */
function earliest(sleepers: ReadonlySet<Sleeper>): Sleeper | null {
  let first: Sleeper | null = null;
  for (const sleeper of sleepers) {
    if (first === null || sleeper.at < first.at) first = sleeper;
  }
  return first;
}

/** Resolves once every promise job that is due has run: those come before the next immediate. */
function everythingElse(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
