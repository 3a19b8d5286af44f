import { median } from '../medians.ts';
import type { BenchmarkCase, RunMeasurement } from '../results.ts';

/** Contender of the engine itself; every other one is a peer. */
export const ETL = 'etl';

/** Runs that count: all but the warm-up. */
export function countedRuns(one: BenchmarkCase): readonly RunMeasurement[] {
  return one.runs.filter((run) => !run.warmUp);
}

/** Of the counted runs' values; null where there is none, or one of them is not known. */
export function medianOf(
  one: BenchmarkCase,
  valueOf: (run: RunMeasurement) => number | null,
): number | null {
  return median(countedRuns(one).map(valueOf));
}

export function rowsPerSecond(one: BenchmarkCase): number | null {
  const wallMs = medianOf(one, (run) => run.wallMs);
  return wallMs === null || wallMs <= 0 ? null : (one.rows * 1_000) / wallMs;
}

/** CPU seconds for a million rows. */
export function cpuPerMillion(
  one: BenchmarkCase,
  side: 'clientCpuMs' | 'serverCpuMs',
): number | null {
  const cpuMs = medianOf(one, (run) => run[side]);
  return cpuMs === null || one.rows <= 0 ? null : (cpuMs * 1_000) / one.rows;
}

/** Of both sides; null where one of them is not known. */
export function totalCpuPerMillion(one: BenchmarkCase): number | null {
  const client = cpuPerMillion(one, 'clientCpuMs');
  const server = cpuPerMillion(one, 'serverCpuMs');
  return client === null || server === null ? null : client + server;
}

/** Warm-ups count here: a wrong table is wrong however warm the cache was. */
export function wrongRuns(one: BenchmarkCase): number {
  return one.runs.filter((run) => !run.correct).length;
}

/** `partitioned`, `auto (partitioned)`, or the name of a peer, and loudly where it went wrong. */
export function contenderLabel(one: BenchmarkCase): string {
  const wrong = wrongRuns(one) > 0 ? ' (WRONG)' : '';
  if (one.contender !== ETL) return one.contender + wrong;
  const chosen = one.strategy === 'auto' && one.chosen !== null ? ` (${one.chosen})` : '';
  return `${one.strategy ?? ETL}${chosen}${wrong}`;
}

/** `partitioned, 4 workers`. */
export function caseLabel(one: BenchmarkCase): string {
  const { concurrency } = one;
  const workers =
    concurrency === null ? '' : `, ${concurrency} worker${concurrency === 1 ? '' : 's'}`;
  return contenderLabel(one) + workers;
}

/** In the order of their first case. */
export function scenariosOf(cases: readonly BenchmarkCase[]): readonly string[] {
  return [...new Set(cases.map((one) => one.scenario))];
}

/** The fastest of the measured cases; null where none was measured. */
export function fastest(cases: readonly BenchmarkCase[]): BenchmarkCase | null {
  let best: BenchmarkCase | null = null;
  for (const one of cases) {
    const speed = rowsPerSecond(one);
    if (speed === null) continue;
    if (best === null || speed > (rowsPerSecond(best) ?? 0)) best = one;
  }
  return best;
}

export const STRATEGY_ORDER = [
  'auto',
  'sequential',
  'hybrid',
  'full-parallel',
  'partitioned',
] as const;

/** One strategy of a scenario at the concurrency that served it best. */
export function bestOfStrategy(
  cases: readonly BenchmarkCase[],
  scenario: string,
  strategy: (typeof STRATEGY_ORDER)[number],
): BenchmarkCase | null {
  return fastest(
    cases.filter(
      (one) => one.contender === ETL && one.scenario === scenario && one.strategy === strategy,
    ),
  );
}
