import type { Strategy } from '../../src/job/schema.ts';
import type { WrittenFiles } from '../generate/write-files.ts';
import type { Shape } from '../generate/shape.ts';
import type { TimelineSpan } from '../results.ts';
import type { Format } from '../scenario.ts';

/** Whoever loads a scenario: the engine with one strategy and concurrency, or another tool. */
export interface Contender {
  readonly name: string;
  readonly strategy: Strategy | 'auto' | null;
  readonly concurrency: number | null;
  readonly formats: readonly Format[];
  /** More would not be worth the wait; null for any number. */
  readonly rowsMax: number | null;
  /** Whether it creates the table of a scenario that is to find none. */
  readonly createsTable: boolean;
  /** Whether it promises the table of a sequential load, so that another one is a defect. */
  readonly deterministic: boolean;
  /** Rejects with an EtlError. */
  run(load: ContenderLoad): Promise<ContenderRun>;
}

export interface ContenderLoad {
  readonly databaseUrl: string;
  readonly schema: string;
  /** Inside of the schema. */
  readonly table: string;
  readonly shape: Shape;
  readonly folder: string;
  readonly files: WrittenFiles;
  readonly signal: AbortSignal;
}

export interface ContenderRun {
  readonly clientCpuMs: number | null;
  readonly rssPeakBytes: number | null;
  /** Null: only what the sampler sees is known. */
  readonly connectionsPeak: number | null;
  readonly chosen: Strategy | null;
  readonly predicted: Readonly<Partial<Record<Strategy, number>>>;
  readonly timeline: readonly TimelineSpan[];
}
