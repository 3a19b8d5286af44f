import { basename } from 'node:path';
import type { Job, Strategy } from '../src/job/schema.ts';
import { errorRecordOf, type ErrorRecord } from '../src/errors.ts';
import { plan, run, silentLog, type Report } from '../src/index.ts';
import { rssPeakBytes } from '../src/run/rss-peak.ts';
import type { TimelineSpan } from './results.ts';
import { createTimeline } from './timeline.ts';

/** What is to be measured, told to a process of its own; see run-child.ts. */
export interface ChildOrder {
  readonly databaseUrl: string;
  readonly job: Job;
}

export type ChildReply =
  | {
      readonly kind: 'ended';
      readonly report: Report;
      /** Of the first load. */
      readonly strategy: Strategy | null;
      readonly predicted: Readonly<Partial<Record<Strategy, number>>>;
      readonly spans: readonly TimelineSpan[];
      /** From the process's start, threads included. */
      readonly cpuMs: number;
      readonly rssPeakBytes: number;
    }
  | { readonly kind: 'failed'; readonly error: ErrorRecord };

/** Plans and runs one job, as `etl run` does, and tells what it took. Never rejects. */
export async function measuredRun(order: ChildOrder): Promise<ChildReply> {
  try {
    return await load(order);
  } catch (error) {
    return { kind: 'failed', error: errorRecordOf(error) };
  }
}

async function load({ databaseUrl, job }: ChildOrder): Promise<ChildReply> {
  const planned = await plan(job, { databaseUrl, log: silentLog });
  const timeline = createTimeline((load, file) =>
    basename(planned.loads[load]?.files[file]?.path ?? ''),
  );
  const running = run(planned, { databaseUrl, log: silentLog });
  // performance.now() counts from the start of this process.
  for await (const event of running) timeline.on(event, performance.now());
  const report = await running.report;
  const costs = planned.loads[0]?.costs ?? [];
  const used = process.cpuUsage();
  return {
    kind: 'ended',
    report,
    strategy: planned.loads[0]?.strategy ?? null,
    predicted: Object.fromEntries(
      costs.flatMap(({ strategy, seconds }) => (seconds === null ? [] : [[strategy, seconds]])),
    ),
    spans: timeline.spans,
    cpuMs: (used.user + used.system) / 1000,
    rssPeakBytes: rssPeakBytes(),
  };
}
