/**
 * A real job as one of the examples ran it: what a team had reported of its own system beside what
 * this run measured. The shapes are those of examples/support/example.ts, which lies outside of the
 * package, so they come as JSON.
 */
export interface ExampleResult {
  readonly name: string;
  readonly size: ExampleSize;
  readonly reported: ReportedFigures;
  readonly figures: readonly ExampleFigure[];
  /** Sessions of its database at the same time, those of the example's own checks included. */
  readonly connectionsPeak: number | null;
  /** Of the server and for the whole example; null where it is not local. */
  readonly serverCpuMs: number | null;
  /** Why there are no figures: the table was not the one that arithmetic foretells, for example. */
  readonly failed: string | null;
}

export type ExampleSize = 'small' | 'full';

/** What a team had told of its own system. */
export interface ReportedFigures {
  readonly sentence: string;
  /** What it counted, in plural. */
  readonly rows: string;
  /** Milliseconds of one, at the best that it reached. */
  readonly msPerRow: number;
  readonly msPerRowBefore: number | null;
  readonly msPerRowWanted: number | null;
  readonly rssPeakBytes: number | null;
}

export interface ExampleFigure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the team had reported for the same, in its words. */
  readonly reported?: string;
  /** Of figures that stand for the job. */
  readonly load?: ExampleLoad;
}

export interface ExampleLoad {
  readonly rows: number;
  readonly wallMs: number;
  readonly cpuMs: number | null;
  readonly rssPeakBytes: number;
  /** Null: not more than those of the whole example. */
  readonly connectionsPeak: number | null;
}

/** Three digits tell a microsecond from seconds. */
export function formatMsPerRow(ms: number): string {
  return ms >= 100 ? Math.round(ms).toLocaleString('en-US') : String(Number(ms.toPrecision(3)));
}

/** A load of an example, beside what was reported. */
export interface ComparedLoad {
  readonly example: string;
  readonly size: ExampleSize;
  readonly what: string;
  readonly reported: ReportedFigures;
  readonly load: ExampleLoad;
  readonly connectionsPeak: number | null;
  readonly msPerRow: number;
  readonly rowsPerSecond: number;
  /** So many times as fast by row as the best that was reported. */
  readonly timesAsFast: number;
  /** Against what was wanted; null where nothing was. */
  readonly timesAsWanted: number | null;
}

export function comparedLoads(results: readonly ExampleResult[]): readonly ComparedLoad[] {
  return results.flatMap(({ name, size, reported, figures, connectionsPeak }) =>
    figures.flatMap(({ what, load }) => {
      if (load === undefined) return [];
      const msPerRow = load.wallMs / Math.max(1, load.rows);
      const { msPerRowWanted } = reported;
      return [
        {
          ...{ example: name, size, what, reported, load, msPerRow },
          connectionsPeak: load.connectionsPeak ?? connectionsPeak,
          rowsPerSecond: 1_000 / msPerRow,
          timesAsFast: reported.msPerRow / msPerRow,
          timesAsWanted: msPerRowWanted === null ? null : msPerRowWanted / msPerRow,
        },
      ];
    }),
  );
}
