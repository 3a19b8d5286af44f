import type { LoadTask } from '../load/unit-task.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { Connection } from '../target/connect.ts';
import type { RunEvent } from './events.ts';

/** What the range pipeline works with. */
export interface RangeOptions {
  readonly plan: LoadPlan;
  readonly loadIndex: number;
  readonly task: LoadTask;
  readonly pool: WorkerPool;
  /** Paths of the reject files, by file. */
  readonly rejectPaths: ReadonlyMap<number, string>;
  readonly coordinator: Connection;
  /** Whether the server allows prepared transactions enough for all owners. */
  readonly prepare: boolean;
  /** Fewer rows are not worth another owner's scan of the staging. */
  readonly ownerRowsMin: number;
  /** Ends the workers; resolves once none of their backends is left. */
  readonly untilQuiet: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onEvent: (event: RunEvent) => void;
}
