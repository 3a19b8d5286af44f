/** What the benchmark must show: one promise of speed, of which each ratio is a part. */
export interface Goal {
  readonly work: string;
  readonly against: string;
  readonly reach: string;
  /** Ratios that have a bound, where all of it is measured. */
  readonly parts: number;
  /** What measures it, after `etl benchmark`. */
  readonly measure: string;
  /** Whether people read it the other way round: so many times as fast. */
  readonly inverted?: boolean;
}

export const GOALS = {
  bytes: {
    work: 'client CPU, CSV',
    against: 'bytes',
    reach: 'under 3 s per GB',
    parts: 1,
    measure: '--suite full --scenario rss-1gb',
  },
  parquet: {
    work: 'staging Parquet, CPU of client and server',
    against: 'the same rows as CSV by psql \\copy, client and server',
    reach: 'at most 0.9',
    parts: 1,
    measure: '--suite full --scenario stage-parquet',
  },
  distinct: {
    work: 'six files, no overlap, into an indexed table',
    against: 'psql script, one file after another',
    reach: 'wall and total CPU at most 0.85',
    parts: 2,
    measure: '--suite standard --scenario six-files-distinct --peers',
  },
  'same-keys': {
    work: 'six files, all keys the same',
    against: 'psql script, one file after another',
    reach: 'wall and total CPU at most 0.30',
    parts: 2,
    measure: '--suite standard --scenario six-files-same-keys --peers',
  },
  fresh: {
    work: 'a fresh table',
    against: 'psql script, one file after another',
    reach: 'wall and total CPU at most 0.40',
    parts: 2,
    measure: '--suite standard --scenario fresh-table --peers',
  },
  unchanged: {
    work: 'the same rows again under other file names, nothing changed',
    against: 'their first load',
    reach: 'at most 0.50, and no WAL for unchanged rows',
    parts: 2,
    measure: '--suite standard --scenario repeated-unchanged,six-files-distinct',
  },
  'large-file': {
    work: 'one large CSV file (2 GB in the full suite)',
    against: 'the same rows in 8 files',
    reach: 'at most 1.15',
    parts: 1,
    measure: '--suite full --scenario one-large-file,eight-files',
  },
  'small-files': {
    work: '10,000 files of 100 rows',
    against: 'one file of a million rows',
    reach: 'at most 3',
    parts: 1,
    measure: '--suite standard --scenario many-small-files,one-file-of-a-million',
  },
  'bad-row': {
    work: 'a file of a million rows, one of them bad and put aside',
    against: 'the same file without it',
    reach: 'total CPU at most 2, copied directly and staged',
    parts: 2,
    measure:
      '--suite standard --scenario one-bad-row,one-file-of-a-million,one-bad-row-shuffled,one-file-shuffled',
  },
  memory: {
    work: 'peak RSS at two workers',
    against: 'file size: 100 MB, 1 GB, 4 GB',
    reach: 'flat, under 250 MB for CSV and 600 MB for Parquet',
    parts: 7,
    measure: '--suite full --scenario rss-100mb,rss-1gb,rss-4gb,rss-parquet-100mb,rss-parquet-1gb',
  },
  peers: {
    work: 'time per row',
    against: 'pgloader, execute_values, row by row',
    reach: 'at least 6, 4 and 60 times as fast',
    parts: 3,
    measure: '--suite standard --scenario six-files-distinct --peers',
    inverted: true,
  },
  growth: {
    work: 'cost per row of 10 and 100 million rows',
    against: '1 million rows',
    reach: "growth no more than the index's own logarithm",
    parts: 2,
    measure: '--suite full --scenario cost-1m,cost-10m,cost-100m',
  },
  workers: {
    work: 'CPU per row and waits for locks, concurrency 2 to 16',
    against: 'concurrency 1',
    reach: 'CPU flat (at most 1.1), no worker waits for a lock',
    parts: 5,
    measure: '--suite standard --scenario sixteen-files',
  },
  'far-away': {
    work: 'a server 20 ms away, concurrency 2 to 16',
    against: 'concurrency 1',
    reach: 'throughput grows',
    parts: 4,
    measure: '--suite standard --scenario small-files-far-away',
  },
  choice: {
    work: 'strategy auto',
    against: 'the best strategy of each scenario',
    reach: 'within 10 %',
    parts: 1,
    measure: '--suite standard',
  },
} as const satisfies Record<string, Goal>;

export type GoalId = keyof typeof GOALS | null;
