import { plan, type Job, type Plan } from '../../src/index.ts';
import { formatCount } from '../../src/report/format.ts';
import {
  chunkCandidates,
  concurrencyCandidates,
  hasRowPath,
  subBatchCandidates,
  workShape,
} from './candidates.ts';
import { chooseSetting } from './choose-setting.ts';
import { measureRounds, ROUNDS_MAX } from './measure-rounds.ts';
import type {
  Choice,
  Recommendation,
  TunedSetting,
  TunedSettings,
  TuneRun,
} from './recommendation.ts';
import { runSample } from './run-sample.ts';
import { sampleJob, type SampledLoad } from './sample-job.ts';
import { resetTables, type ScratchTable } from './scratch-schema.ts';
import type { TuneContext } from './tune-options.ts';

/** Shares of the time: most of it goes to the setting that matters most. */
const SHARES: Readonly<Record<TunedSetting, number>> = {
  concurrency: 0.6,
  chunkSize: 0.8,
  subBatchSize: 1,
};

export interface Sampled {
  readonly job: Job;
  readonly plan: Plan;
  readonly loads: readonly SampledLoad[];
  readonly tables: readonly ScratchTable[];
  readonly context: TuneContext;
  readonly cores: number;
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

/** One setting after another, each at the best that is known of those before it. */
export async function tuneSettings(
  sampled: Sampled,
): Promise<Pick<Recommendation, 'settings' | 'choices' | 'runs'>> {
  const { settings } = sampled.job;
  const started = sampled.now();
  const runs: TuneRun[] = [];
  const choices: Choice[] = [];
  const { concurrency, chunkSize, subBatchSize } = settings;
  let best: TunedSettings = { concurrency, chunkSize, subBatchSize };
  for (const setting of ['concurrency', 'chunkSize', 'subBatchSize'] as const) {
    const values = await candidatesOf(setting, sampled, best);
    if (values.length < 2) continue;
    const deadlineMs = started + sampled.context.minutesMax * 60_000 * SHARES[setting];
    let done = 0;
    const measured = await measureRounds({
      ...{ values, deadlineMs, now: sampled.now },
      run: async (value, round) => {
        const run = await measureOnce(sampled, { setting, value, settings: best, round });
        const total = values.length * ROUNDS_MAX + 1;
        sampled.context.onProgress?.({ sentence: sentenceOf(run), done: ++done, total });
        return run;
      },
    });
    runs.push(...measured);
    const choice = choiceOf(setting, settings[setting], measured);
    choices.push(choice);
    best = { ...best, [setting]: choice.recommended };
  }
  const chosen = choices.map(({ setting, recommended }) => [setting, recommended] as const);
  return { settings: Object.fromEntries(chosen), choices, runs };
}

/** Fewer than two: there is nothing to choose. */
async function candidatesOf(
  setting: TunedSetting,
  sampled: Sampled,
  best: TunedSettings,
): Promise<readonly number[]> {
  const { job, cores } = sampled;
  switch (setting) {
    case 'concurrency': {
      const planned = await planSample(sampled, best);
      return concurrencyCandidates(planned, cores, job.settings.concurrency);
    }
    case 'chunkSize': {
      // Only sizes that lead to other units of work; of equal ones the job's own comes first.
      const shapes = new Map<string, number>();
      for (const value of [best.chunkSize, ...chunkCandidates(best.chunkSize)]) {
        const shape = workShape(await planSample(sampled, { ...best, chunkSize: value }));
        if (!shapes.has(shape)) shapes.set(shape, value);
      }
      return [...shapes.values()].sort((a, b) => a - b);
    }
    case 'subBatchSize':
      return hasRowPath(sampled.plan) ? subBatchCandidates(best.subBatchSize) : [];
  }
}

async function planSample(sampled: Sampled, settings: TunedSettings): Promise<Plan> {
  const { context, tables } = sampled;
  await resetTables(context.connection, context.scratch, tables);
  return plan(jobWith(sampled, settings), { ...context.library, force: true });
}

async function measureOnce(
  sampled: Sampled,
  what: Pick<TuneRun, 'setting' | 'value' | 'settings' | 'round'>,
): Promise<TuneRun> {
  const { connection, scratch, library } = sampled.context;
  const settings = { ...what.settings, [what.setting]: what.value };
  await resetTables(connection, scratch, sampled.tables);
  const load = await runSample(jobWith(sampled, settings), library);
  const rowsPerSecond = (load.rows * 1_000) / Math.max(load.wallMs, 0.001);
  return { ...what, settings, ...load, rowsPerSecond };
}

function sentenceOf({ setting, value, round, rowsPerSecond }: TuneRun): string {
  const kind = round === 0 ? 'warm-up' : `round ${round}`;
  return `${setting} ${value}, ${kind}: ${formatCount(rowsPerSecond)} rows/s`;
}

function jobWith({ job, plan: planned, loads, context }: Sampled, settings: TunedSettings): Job {
  return sampleJob(job, planned, loads, context.scratch, settings);
}

function choiceOf(
  setting: TunedSetting,
  current: Choice['current'],
  measured: readonly TuneRun[],
): Choice {
  const counted = measured.filter(({ round }) => round > 0);
  const keep = setting === 'concurrency' || current === 'auto' ? null : current;
  const { value, ...rest } = chooseSetting(counted, keep);
  return { setting, current, recommended: value, ...rest };
}
