/** A real job: generated data, a load or several, and figures beside those that a team had reported. */
export interface Example<Size = unknown> {
  /** Of its folder. */
  readonly name: string;
  readonly reported: Reported;
  /** Seconds, for tests; and the size that the README tells of. */
  readonly sizes: Readonly<Record<SizeName, Size>>;
  /** Rejects where the table does not end as it must. */
  run(scene: Scene, size: Size): Promise<readonly Figure[]>;
}

/** What the team had told of its own system. */
export interface Reported {
  /** What it had, and what it wanted. */
  readonly sentence: string;
  /** What it counted: `pages`, `releases` … One of them is a row here. */
  readonly rows: string;
  /** Milliseconds of one row, at the best that it reached; the original, where it told of two. */
  readonly msPerRow: number;
  readonly msPerRowBefore: number | null;
  readonly msPerRowWanted: number | null;
  /** At most, of its process; null where it told of none. */
  readonly rssPeakBytes: number | null;
}

export const SIZE_NAMES = ['small', 'full'] as const;
export type SizeName = (typeof SIZE_NAMES)[number];

/** What an example finds when it starts. */
export interface Scene {
  /** An empty folder of its own, removed at the end. */
  readonly folder: string;
  /** A postgres:// URL of a database that the example may fill. */
  readonly databaseUrl: string;
  /** One line for who waits. */
  readonly say: (line: string) => void;
  /** Runs `etl …` as a process of its own, in the folder; rejects when it ends with another code. */
  readonly etl: (words: readonly string[], options?: EtlOptions) => Promise<EtlEnd>;
  readonly signal: AbortSignal;
}

export interface EtlOptions {
  /** 0 where absent. */
  readonly exitCode?: number;
  readonly cwd?: string;
}

export interface EtlEnd {
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
  /** User and system time of the process, its threads included, and not of the server. */
  readonly cpuMs: number;
  readonly rssPeakBytes: number;
}

/** One line of the result. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the team had reported for the same, in its words. */
  readonly reported?: string;
  /** Of figures that stand for the job: what it took, to be held against `Example.reported`. */
  readonly load?: MeasuredLoad;
}

/** A load that left the right table. Null: not told apart from the rest of the example. */
export interface MeasuredLoad {
  readonly rows: number;
  readonly wallMs: number;
  /** Of the client. */
  readonly cpuMs: number | null;
  /** Of the client, and what shares its process. */
  readonly rssPeakBytes: number;
  readonly connectionsPeak: number | null;
}

/** The type of an example's size is nobody else's business. */
export function defineExample<Size>(example: Example<Size>): Example<Size> {
  return example;
}
