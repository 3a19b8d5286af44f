import type { BenchmarkCase, RunMeasurement } from './results.ts';

/** What a case took, by the medians of its measured runs; null where that is not known. */
export interface CaseMedians {
  readonly wallMs: number | null;
  readonly clientCpuMs: number | null;
  readonly serverCpuMs: number | null;
  /** Client and server together, added up run by run. */
  readonly totalCpuMs: number | null;
  readonly rssPeakBytes: number | null;
  readonly walBytes: number | null;
  readonly lockWaits: number | null;
}

export function mediansOf({ runs }: Pick<BenchmarkCase, 'runs'>): CaseMedians {
  const measured = runs.filter((run) => !run.warmUp);
  const of = (value: (run: RunMeasurement) => number | null) => median(measured.map(value));
  return {
    wallMs: of((run) => run.wallMs),
    clientCpuMs: of((run) => run.clientCpuMs),
    serverCpuMs: of((run) => run.serverCpuMs),
    totalCpuMs: of(totalCpu),
    rssPeakBytes: of((run) => run.rssPeakBytes),
    walBytes: of((run) => run.walBytes),
    lockWaits: of((run) => run.lockWaits),
  };
}

function totalCpu({ clientCpuMs, serverCpuMs }: RunMeasurement): number | null {
  return clientCpuMs === null || serverCpuMs === null ? null : clientCpuMs + serverCpuMs;
}

/** Null where there is nothing, or one of the values is not known. */
export function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (known.length === 0 || known.length < values.length) return null;
  const middle = (known.length - 1) / 2;
  return ((known[Math.floor(middle)] ?? 0) + (known[Math.ceil(middle)] ?? 0)) / 2;
}
