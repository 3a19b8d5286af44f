import {
  bestOfStrategy,
  ETL,
  medianOf,
  rowsPerSecond,
  scenariosOf,
  totalCpuPerMillion,
} from '../../benchmarks/page/case-figures.ts';
import { formatCount, formatMs, formatRatio, formatSize } from '../../benchmarks/page/numbers.ts';
import type { BenchmarkCase } from '../../benchmarks/results.ts';
import { markdownTable } from '../markdown.ts';

const STRATEGIES = ['full-parallel', 'hybrid', 'sequential', 'partitioned'] as const;

/** Thousands of rows per second and CPU seconds per million rows, scenarios with all strategies. */
export function strategyTable(cases: readonly BenchmarkCase[]): string {
  const rows = scenariosOf(cases).flatMap((scenario) => {
    const best = STRATEGIES.map((strategy) => bestOfStrategy(cases, scenario, strategy));
    if (best.filter((one) => one !== null).length < 3) return [];
    const speeds = best.map((one) => (one === null ? null : rowsPerSecond(one)));
    const most = Math.max(...speeds.map((speed) => speed ?? 0));
    const cells = best.map((one, place) => {
      if (one === null) return '–';
      const speed = speeds[place] ?? 0;
      const text = `${formatCount(speed / 1_000)} · ${formatRatio(totalCpuPerMillion(one))}`;
      return speed === most ? `**${text}**` : text;
    });
    return [[`\`${scenario}\``, ...cells]];
  });
  return markdownTable(['Scenario', ...STRATEGIES.map((name) => `\`${name}\``)], rows);
}

/** The scenario of the four rows of the original analysis: three CSV and three Parquet files. */
const ORIGINAL = 'three-and-three';

/** The four rows of the original analysis, and partitioned: relative to full-parallel. */
export function originalTable(cases: readonly BenchmarkCase[]): string {
  const own = cases.filter((one) => one.scenario === ORIGINAL && one.contender === ETL);
  const of = (strategy: string, concurrency: number) =>
    own.find((one) => one.strategy === strategy && one.concurrency === concurrency) ?? null;
  const counterparts: readonly (readonly [string, string, BenchmarkCase | null])[] = [
    ['Full parallel', '`full-parallel`, 2 workers', of('full-parallel', 2)],
    ['Hybrid', '`hybrid`, 2 workers', of('hybrid', 2)],
    ['Deterministic (sequential)', '`sequential`, 2 workers', of('sequential', 2)],
    ['Streaming (constant memory)', '`sequential`, 1 worker', of('sequential', 1)],
    ['–', '`partitioned`, 2 workers', of('partitioned', 2)],
  ];
  const first = of('full-parallel', 2);
  const rows = counterparts.map(([original, ours, one]) => [
    original,
    ours,
    relative(one, first, rowsPerSecond),
    relative(one, first, memoryOf),
    formatCount(one === null ? null : rowsPerSecond(one)),
    formatSize(one === null ? null : memoryOf(one)),
  ]);
  const head = ['Original', 'Here', 'Throughput', 'Memory', 'Rows/s', 'Peak RSS'];
  return markdownTable(head, rows);
}

function memoryOf(one: BenchmarkCase): number | null {
  return medianOf(one, (run) => run.rssPeakBytes);
}

function relative(
  one: BenchmarkCase | null,
  other: BenchmarkCase | null,
  valueOf: (one: BenchmarkCase) => number | null,
): string {
  const [value, base] = [one, other].map((each) => (each === null ? null : valueOf(each)));
  return value === null || value === undefined || base === null || base === undefined
    ? '–'
    : formatRatio(value / base);
}

/** What auto chose, what it predicted and what it took, beside the best that could be asked for. */
export function choiceTable(cases: readonly BenchmarkCase[]): string {
  const own = cases.filter((one) => one.contender === ETL && rowsPerSecond(one) !== null);
  const rows = own.flatMap((auto) => {
    const others = own.filter(
      (one) =>
        one.scenario === auto.scenario &&
        one.concurrency === auto.concurrency &&
        one.strategy !== 'auto',
    );
    if (auto.strategy !== 'auto' || others.length === 0 || auto.chosen === null) return [];
    const best = others.reduce((a, b) => (wallOf(b) < wallOf(a) ? b : a));
    const predicted = auto.runs[0]?.predicted[auto.chosen] ?? null;
    return [
      [
        `\`${auto.scenario}\` ×${auto.concurrency ?? 0}`,
        `\`${auto.chosen}\``,
        formatMs(predicted === null ? null : predicted * 1_000),
        formatMs(wallOf(auto)),
        `\`${best.strategy ?? ''}\` ${formatMs(wallOf(best))}`,
        formatRatio(wallOf(auto) / wallOf(best)),
      ],
    ];
  });
  const head = ['Scenario', 'Chosen', 'Predicted s', 'Measured s', 'Best s', 'Of the best'];
  return markdownTable(head, rows);
}

function wallOf(one: BenchmarkCase): number {
  return medianOf(one, (run) => run.wallMs) ?? Infinity;
}
