import type { ExampleResult } from '../../benchmarks/examples/example-result.ts';
import type {
  BenchmarkCase,
  BenchmarkResults,
  RunMeasurement,
  TimelineSpan,
} from '../../benchmarks/results.ts';

/** Results as a benchmark writes them, small. */
export function run(change: Partial<RunMeasurement> = {}): RunMeasurement {
  return {
    warmUp: false,
    wallMs: 2_000,
    clientCpuMs: 300,
    serverCpuMs: 1_500,
    rssPeakBytes: 120_000_000,
    connectionsPeak: 3,
    walBytes: 45_000_000,
    lockWaits: 0,
    correct: true,
    digest: '100000 rows, md5 9e107d9d372bb6826bd81d3542a419d6',
    predicted: { sequential: 3, partitioned: 2.2 },
    timeline: [],
    ...change,
  };
}

export function benchmarkCase(change: Partial<BenchmarkCase> = {}): BenchmarkCase {
  return {
    scenario: 'six files, no overlap',
    contender: 'etl',
    strategy: 'partitioned',
    chosen: null,
    concurrency: 2,
    rows: 1_000_000,
    bytes: 76_000_000,
    runs: [run({ warmUp: true, wallMs: 9_000 }), run(), run({ wallMs: 2_200 }), run()],
    skipped: null,
    ...change,
  };
}

export function peerCase(contender: string, change: Partial<BenchmarkCase> = {}): BenchmarkCase {
  return benchmarkCase({ contender, strategy: null, concurrency: null, ...change });
}

export function timeline(files: number): TimelineSpan[] {
  return Array.from({ length: files }, (_, file) => file).flatMap((file) => [
    { file: `f${file}.csv`, phase: 'stage' as const, fromMs: file * 100, toMs: file * 100 + 400 },
    { file: `f${file}.csv`, phase: 'wait' as const, fromMs: file * 100 + 400, toMs: 900 },
    { file: `f${file}.csv`, phase: 'merge' as const, fromMs: 900, toMs: 1_200 + file * 90 },
  ]);
}

export function benchmarkResults(change: Partial<BenchmarkResults> = {}): BenchmarkResults {
  return {
    version: 1,
    certificate: {
      startedAt: '2026-11-22T10:00:00.000Z',
      finishedAt: '2026-11-22T10:20:00.000Z',
      suite: 'small',
      seed: 7,
      machine: { platform: 'linux x64', cpu: 'A CPU', cores: 2, memoryBytes: 24_000_000_000 },
      node: 'v20.20.2',
      etl: '0.1.0',
      commit: '77784ae',
      server: {
        version: '18.4',
        embedded: true,
        settings: { shared_buffers: '128MB', fsync: 'on' },
      },
    },
    cases: [],
    ratios: [],
    ...change,
  };
}

/** Two scenarios with every kind of thing that the page can show. */
export function fullResults(): BenchmarkResults {
  const scenarios = ['six files, no overlap', 'six files, all keys the same'];
  const strategies = ['sequential', 'full-parallel', 'hybrid', 'partitioned'] as const;
  const cases = scenarios.flatMap((scenario, place) => [
    ...strategies.flatMap((strategy, rank) =>
      [1, 2, 4].map((concurrency) =>
        benchmarkCase({
          ...{ scenario, strategy, concurrency },
          runs: [0, 1, 2].map((round) =>
            run({
              warmUp: round === 0,
              wallMs: (4_000 - rank * 700 * (place + 0.2)) / Math.sqrt(concurrency) + round * 50,
              timeline: timeline(6),
            }),
          ),
        }),
      ),
    ),
    benchmarkCase({ scenario, strategy: 'auto', chosen: 'partitioned' }),
    peerCase('psql script', { scenario, runs: [run({ wallMs: 8_000, lockWaits: null })] }),
    peerCase('psql xargs -P', {
      ...{ scenario, runs: [run({ wallMs: 5_000, correct: place === 0 })] },
    }),
    peerCase('row by row', { scenario, rows: 50_000, runs: [run({ wallMs: 18_000 })] }),
    peerCase('pgloader', { scenario, runs: [], skipped: 'pgloader is not installed' }),
  ]);
  return benchmarkResults({
    cases,
    examples: [exampleResult()],
    ratios: [
      {
        name: 'no overlap against the psql script',
        metric: 'wall',
        goal: 'distinct',
        value: 0.62,
        reach: 0.85,
      },
      {
        name: 'all keys the same',
        metric: 'total CPU',
        goal: 'same-keys',
        value: 0.41,
        reach: 0.3,
      },
      { name: 'memory over size', metric: 'peak RSS', goal: null, value: 1.02, reach: null },
    ],
  });
}

/** An example of a thousand pages. */
export function exampleResult(change: Partial<ExampleResult> = {}): ExampleResult {
  const load = { rows: 1_000, wallMs: 500, cpuMs: 400, rssPeakBytes: 120e6, connectionsPeak: 3 };
  return {
    name: 'pages',
    size: 'full',
    reported: {
      ...{ sentence: '3 pages a second; wanted 100.', rows: 'pages', msPerRow: 300 },
      ...{ msPerRowBefore: null, msPerRowWanted: 10, rssPeakBytes: null },
    },
    figures: [
      { what: 'first load', value: 0.5, unit: 's', reported: '3 a second', load },
      { what: 'files', value: 1_000, unit: '' },
    ],
    connectionsPeak: 7,
    serverCpuMs: 900,
    failed: null,
    ...change,
  };
}
