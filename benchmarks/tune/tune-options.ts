import type { Log } from '../../src/index.ts';
import type { Connection } from '../../src/target/connect.ts';
import type { TuneProgress } from './recommendation.ts';
import type { Scratch } from './scratch-schema.ts';

export interface TuneOptions {
  readonly databaseUrl: string;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** Time for measuring. One round of runs is made in any case. */
  readonly minutesMax: number;
  readonly onProgress?: (progress: TuneProgress) => void;
}

/** What all steps need. */
export interface TuneContext extends Pick<TuneOptions, 'minutesMax' | 'onProgress'> {
  /** For the library's calls. */
  readonly library: Pick<TuneOptions, 'databaseUrl' | 'log' | 'signal'>;
  readonly connection: Connection;
  readonly scratch: Scratch;
}
