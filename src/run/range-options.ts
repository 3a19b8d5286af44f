import type { LoadWork } from './load-work.ts';

/** What the range pipeline works with. */
export interface RangeOptions extends LoadWork {
  /** Whether the server allows prepared transactions enough for all owners. */
  readonly prepare: boolean;
  /** Fewer rows are not worth another owner's scan of the staging. */
  readonly ownerRowsMin: number;
  /** Ends the workers; resolves once none of their backends is left. */
  readonly untilQuiet: () => Promise<void>;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}
