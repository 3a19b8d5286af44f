import type { Plan } from '../plan/plan-types.ts';
import type { WorkerSetup } from '../pool/messages.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { Connection, ConnectOptions } from '../target/connect.ts';
import type { PoolWork } from './choose-pool.ts';
import type { RunEvent } from './events.ts';
import type { Usage } from './usage.ts';

/** What all loads of a run share. */
export interface RunContext {
  readonly plan: Plan;
  readonly runId: string;
  readonly startedAt: Date;
  /** Of the ledger's schema. */
  readonly ledgerVersion: number;
  readonly coordinator: Connection;
  readonly setup: Omit<WorkerSetup, 'tableOid' | 'furtherOids'>;
  readonly signal: AbortSignal;
  /** See RunOptions. */
  readonly retryRejects: boolean;
  readonly parts: RunParts;
  readonly onEvent: (event: RunEvent) => void;
  readonly usage: Usage;
}

/** The surroundings of a run, passed in so that tests can put others in their place. */
export interface RunParts {
  readonly createPool: (
    workers: number,
    setup: WorkerSetup,
    work: PoolWork,
  ) => WorkerPool | Promise<WorkerPool>;
  /** Opens the coordinator's connection; `connect` where absent. */
  readonly connect?: (options: ConnectOptions) => Promise<Connection>;
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number;
  /** May reject when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Fewer rows are not worth another owner of `partitioned`; OWNER_ROWS_MIN where absent. */
  readonly ownerRowsMin?: number;
}
