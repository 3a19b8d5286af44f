import type { MessagePort } from 'node:worker_threads';
import type { ErrorRecord } from '../errors.ts';
import type { DirectShareTask } from '../load/direct-share.ts';
import type { FreshCopyTask } from '../load/fresh-copy.ts';
import type { OwnerTask } from '../load/owner-task.ts';
import type { QuarantineTask } from '../load/quarantine/quarantine-work.ts';
import type { UnitNews, UnitTask } from '../load/unit-task.ts';
import type { UnchangedPlan } from '../plan/plan-types.ts';
import type { CompiledModules } from '../source/transform/transpile.ts';

/** What a worker is asked to hold a session on. Plain JSON. */
export type WorkOrder =
  /** The file pipeline: stage into a temporary table, export keys, merge. */
  | { readonly kind: 'unit'; readonly task: UnitTask }
  /** A table that is being made: copy into its twin, which has no index. */
  | ({ readonly kind: 'fresh-copy' } & FreshCopyTask)
  /** Sorted, new rows: copy a share of them into the table itself, all shares at once. */
  | { readonly kind: 'direct-share'; readonly task: DirectShareTask }
  /** Where near these offsets can a large file be split? Told part by part. */
  | { readonly kind: 'split-scan'; readonly task: UnitTask; readonly cuts: readonly number[] }
  /** The range pipeline, before all: which keys do the files hold? */
  | { readonly kind: 'key-scan'; readonly task: UnitTask; readonly seed: Uint32Array }
  /** The file pipeline, before all: which records does the table hold as they are? */
  | {
      readonly kind: 'find-unchanged';
      readonly task: UnitTask;
      readonly plan: UnchangedPlan;
      readonly seed: Uint32Array;
    }
  /** The range pipeline, first half: stage into a table that all workers can read. */
  | { readonly kind: 'shared-staging'; readonly task: UnitTask; readonly sqlName: string }
  /** The range pipeline, second half: merge the keys of one owner over all that is staged. */
  | { readonly kind: 'owner'; readonly task: OwnerTask }
  /** The range pipeline, where rows are bad: take them out of staging, write the reject files. */
  | { readonly kind: 'quarantine'; readonly task: QuarantineTask };

/** From the coordinator to the worker, over the session's port. */
export type Request =
  | { readonly kind: 'call'; readonly id: number; readonly method: string }
  | { readonly kind: 'abort' }
  /** Is any of the calls up to this one missing? */
  | { readonly kind: 'check'; readonly calls: number };

/** From the worker to the coordinator. */
export type Reply =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: ErrorRecord }
  /** To a check: the calls that are neither answered nor failed yet. */
  | { readonly kind: 'checked'; readonly calls: number; readonly underWay: readonly number[] }
  | { readonly kind: 'news'; readonly news: readonly UnitNews[] }
  /** The session has a connection of its own (told once per connection made). */
  | { readonly kind: 'connected'; readonly pid: number };

/** To a worker thread: a session on a place, whose connection it keeps from session to session. */
export interface WorkerTask {
  readonly order: WorkOrder;
  readonly port: MessagePort;
  readonly place: number;
}

/** Static data of every worker thread of a pool. */
export interface WorkerSetup {
  readonly databaseUrl: string | null;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** The table that the workers write to. */
  readonly tableOid: number;
  /** And further ones, in the same transactions. */
  readonly furtherOids?: readonly number[];
  readonly idleTimeoutMs: number;
  readonly session: Readonly<Record<string, string>>;
  /** What the coordinator has compiled of transforms in TypeScript. */
  readonly compiled?: CompiledModules;
}
