import type { Settings } from '../../src/job/schema.ts';
import type { Certificate } from '../results.ts';

/** Settings that are measured. The other ones are decisions, not matters of speed. */
export type TunedSetting = 'concurrency' | 'chunkSize' | 'subBatchSize';
export type TunedSettings = Readonly<Pick<Settings, TunedSetting>>;

/** A median of fewer rounds is moved by one slow moment of the machine. */
export const ROUNDS_SURE = 3;

/** What was measured on the user's own database, and what follows from it. Plain JSON. */
export interface Recommendation {
  /** Of whoever loads. */
  readonly machine: Certificate['machine'];
  /** As a session finds it that sets nothing of its own. */
  readonly server: Pick<Certificate['server'], 'version' | 'settings'>;
  /** Only settings that were measured: the others do not matter to this job. */
  readonly settings: Readonly<Partial<Record<TunedSetting, number>>>;
  readonly choices: readonly Choice[];
  /** Every run, warm-ups included. */
  readonly runs: readonly TuneRun[];
  readonly sample: { readonly files: number; readonly bytes: number };
  /** What makes the sample differ from the job: sentences. */
  readonly notices: readonly string[];
}

/** What a job file may be changed for: nothing that was measured in too few rounds. */
export function sureSettings({
  choices,
}: Pick<Recommendation, 'choices'>): Recommendation['settings'] {
  const sure = choices.filter(({ rounds }) => rounds >= ROUNDS_SURE);
  return Object.fromEntries(sure.map(({ setting, recommended }) => [setting, recommended]));
}

export interface Choice {
  readonly setting: TunedSetting;
  /** As the job has it. */
  readonly current: Settings[TunedSetting];
  readonly recommended: number;
  /** One sentence. */
  readonly reason: string;
  /** Each candidate ran once in each; with fewer than three the choice is not sure. */
  readonly rounds: number;
  readonly candidates: readonly CandidateSpeed[];
}

export interface CandidateSpeed {
  readonly value: number;
  /** Median of the counted runs. */
  readonly rowsPerSecond: number;
  /** Speed as a share of the fastest candidate's, 0 to 1, each round compared with itself. */
  readonly share: number;
}

export interface TuneRun {
  /** The setting that was varied, and its value. */
  readonly setting: TunedSetting;
  readonly value: number;
  readonly settings: TunedSettings;
  /** From 1; the warm-up is 0. */
  readonly round: number;
  readonly rows: number;
  readonly wallMs: number;
  readonly rowsPerSecond: number;
  readonly cpuMs: number;
  readonly rssPeakBytes: number;
}

/** For people who wait: one line, and how far it is. */
export interface TuneProgress {
  readonly sentence: string;
  readonly done: number;
  /** As far as it is known; less where the time runs out. */
  readonly total: number;
}
