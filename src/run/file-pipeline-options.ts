import type { AdmissionMode } from '../conflict/admission.ts';
import type { ConflictEdge, FilePlan, UnitPlan } from '../plan/plan-types.ts';
import type { RunEvent } from './events.ts';
import type { UnitOutcome } from './unit-outcome.ts';
import type { UnitWorkers } from '../load/unit-session.ts';

/** What the pipeline reads of a LoadPlan. */
export interface PipelineLoad {
  readonly files: readonly Pick<FilePlan, 'name' | 'path'>[];
  readonly units: readonly UnitPlan[];
  readonly conflicts: readonly Pick<ConflictEdge, 'before' | 'after'>[];
}

export interface FilePipelineOptions {
  readonly load: PipelineLoad;
  /** Index of the load in the plan, for events. */
  readonly loadIndex: number;
  readonly workers: UnitWorkers;
  readonly admissionMode: AdmissionMode;
  /** Sessions open at once, at most. */
  readonly concurrency: number;
  /** Key hashes that admission may hold; LIMITS.admissionKeysMax unless told. */
  readonly keysMax?: number;
  readonly signal: AbortSignal;
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number;
  /** Rejects or resolves early when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onEvent: (event: RunEvent) => void;
  /** Told as each unit ends. */
  readonly onOutcome?: (outcome: UnitOutcome) => void;
}
