import type { Strategy } from '../src/job/schema.ts';
import type { ExampleResult } from './examples/example-result.ts';
import type { GoalId } from './goals.ts';

/**
 * What `etl benchmark` writes: every raw run, with the check of the loaded table beside it. The
 * HTML page and the tables of PARALLEL_UPSERT_ANALYSIS.md are made from this alone.
 */
export interface BenchmarkResults {
  readonly version: 1;
  readonly certificate: Certificate;
  readonly cases: readonly BenchmarkCase[];
  /** Ratios of medians between cases of one scenario, as the suite asks for them. */
  readonly ratios: readonly Ratio[];
  /** Real jobs, where they were asked for. */
  readonly examples?: readonly ExampleResult[];
}

/** Where a result was born. */
export interface Certificate {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly suite: string;
  readonly seed: number;
  readonly machine: {
    readonly platform: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryBytes: number;
  };
  readonly node: string;
  readonly etl: string;
  /** Of the checkout; null where it is none. */
  readonly commit: string | null;
  readonly server: {
    readonly version: string;
    readonly embedded: boolean;
    /** shared_buffers, max_wal_size, fsync, synchronous_commit … */
    readonly settings: Readonly<Record<string, string>>;
  };
}

/** One contender on one scenario. */
export interface BenchmarkCase {
  readonly scenario: string;
  /** `etl`, or the name of a peer: `psql script`, `psql xargs -P`, `pgloader` … */
  readonly contender: string;
  /** What was asked of etl; null for peers. */
  readonly strategy: Strategy | 'auto' | null;
  /** What auto chose. */
  readonly chosen: Strategy | null;
  readonly concurrency: number | null;
  readonly rows: number;
  readonly bytes: number;
  readonly runs: readonly RunMeasurement[];
  /** Why there are no runs: a peer that is not installed, a strategy that cannot do the load. */
  readonly skipped: string | null;
}

export interface RunMeasurement {
  /** Kept, but in no median. */
  readonly warmUp: boolean;
  readonly wallMs: number;
  /** User and system time of the client process, its threads and children included. Null: a peer
   * that cannot tell. */
  readonly clientCpuMs: number | null;
  /** Of the postmaster and all of its processes; null where the server is not local. */
  readonly serverCpuMs: number | null;
  readonly rssPeakBytes: number | null;
  readonly connectionsPeak: number | null;
  readonly walBytes: number | null;
  /** Waits on locks seen by sampling pg_stat_activity: one for each session and sample. */
  readonly lockWaits: number | null;
  /** Whether the table was the oracle's afterwards. */
  readonly correct: boolean;
  readonly digest: string;
  /** Seconds that the plan predicted for each strategy; empty for peers. */
  readonly predicted: Readonly<Partial<Record<Strategy, number>>>;
  readonly timeline: readonly TimelineSpan[];
}

/** Milliseconds since the start of the run. */
export interface TimelineSpan {
  readonly file: string;
  readonly phase: 'stage' | 'wait' | 'merge';
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Ratio {
  readonly name: string;
  readonly metric: 'wall' | 'client CPU' | 'total CPU' | 'peak RSS' | 'WAL' | 'lock waits';
  /** What it is a part of. */
  readonly goal: GoalId;
  readonly value: number;
  /** Largest value that reaches the goal; null where there is none. */
  readonly reach: number | null;
}
