import type { LoadTask } from '../load/unit-task.ts';
import type { LoadPlan } from '../plan/plan-types.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { Connection } from '../target/connect.ts';
import type { RunEvent } from './events.ts';

/** A load whose table is made ready and locked, and whose workers stand by. */
export interface LoadWork {
  readonly plan: LoadPlan;
  /** Of the load in the plan, for events. */
  readonly loadIndex: number;
  readonly task: LoadTask;
  readonly pool: WorkerPool;
  readonly coordinator: Connection;
  /** Paths of the reject files, by file; see LoadQuarantine. */
  readonly rejectPaths: ReadonlyMap<number, string>;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}
