import { EtlError, plan, run, type Job, type Log, type Report } from '../../src/index.ts';

export interface SampleRunOptions {
  readonly databaseUrl: string;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

/** What one load of the sample took. */
export interface SampleRun {
  readonly rows: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssPeakBytes: number;
}

/** Plans and loads the sample once, by the library's own door, as users do. */
export async function runSample(job: Job, options: SampleRunOptions): Promise<SampleRun> {
  const planned = await plan(job, { ...options, force: true });
  const started = performance.now();
  const report = await run(planned, options).report;
  const wallMs = performance.now() - started;
  options.signal?.throwIfAborted();
  if (report.error !== null) throw EtlError.fromRecord(report.error);
  const { cpuUserMs, cpuSystemMs, rssPeakBytes } = report.resources;
  return { rows: rowsOf(report), wallMs, cpuMs: cpuUserMs + cpuSystemMs, rssPeakBytes };
}

function rowsOf({ loads }: Report): number {
  return loads.reduce((sum, load) => sum + load.totals.rowsRead, 0);
}
