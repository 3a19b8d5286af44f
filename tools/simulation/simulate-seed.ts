import { errorRecordOf } from '../../src/errors.ts';
import { LIMITS } from '../../src/limits.ts';
import { runFilePipeline } from '../../src/run/file-pipeline.ts';
import type { UnitOutcome } from '../../src/run/unit-outcome.ts';
import type { PipelineLoad } from '../../src/run/file-pipeline-options.ts';
import { NO_FAULTS, randomFaults, type Faults } from './faults.ts';
import { sequentialTable, tableDifference } from './oracle.ts';
import { createRandom } from './random.ts';
import { createSimulatedDatabase } from './simulated-database.ts';
import { planJob, randomJob } from './simulated-job.ts';
import { createSimulatedWorkers, type Mutation, type SimulatedWorld } from './simulated-workers.ts';
import { createTrace, type Trace } from './trace.ts';
import { createVirtualClock } from './virtual-clock.ts';

export interface Verdict {
  readonly seed: number;
  /** What went wrong; null where the promise was kept. */
  readonly problem: string | null;
  readonly trace: Trace;
  /** Units that committed before an earlier one. */
  readonly overtakings: number;
  readonly statuses: readonly UnitOutcome['status'][];
  readonly aborted: boolean;
}

/**
 * One random job, loaded by the scheduler that production uses, on simulated workers. The first run
 * meets faults; a second one without faults loads what the ledger says is left. Then the table must
 * be the one that a sequential load leaves.
 */
export async function simulateSeed(seed: number, mutation: Mutation | null): Promise<Verdict> {
  const random = createRandom(seed);
  const job = randomJob(random);
  const database = createSimulatedDatabase(job);
  const faults = randomFaults(job.files.length, random);
  const trace = createTrace();
  const world: SimulatedWorld = {
    job,
    faults,
    database,
    random,
    trace,
    mutation,
    clock: createVirtualClock(),
  };

  const first = await simulateRun(world);
  let problem = first.problem;
  if (problem === null && database.ledger.size < job.files.length) {
    ({ problem } = await simulateRun({ ...world, faults: NO_FAULTS }));
    if (problem === null && database.ledger.size < job.files.length) {
      problem = 'the second run has not loaded all files';
    }
  }
  problem ??= database.problems[0] ?? null;
  problem ??= tableDifference(database.table, sequentialTable(job), job.mode !== 'free');
  return {
    seed,
    problem,
    trace,
    overtakings: database.overtakings(),
    statuses: first.outcomes.map((outcome) => outcome.status),
    aborted: faults.abortAtMs !== null,
  };
}

interface RunEnd {
  readonly outcomes: readonly UnitOutcome[];
  readonly problem: string | null;
}

async function simulateRun(world: SimulatedWorld): Promise<RunEnd> {
  const { job, clock, random, trace, database } = world;
  const remaining = [...job.files.keys()].filter((file) => !database.ledger.has(file));
  const load = planJob(job, remaining, random);
  const workers = createSimulatedWorkers(world);
  const abort = new AbortController();
  const run = runFilePipeline({
    load,
    loadIndex: 0,
    workers,
    admissionMode: world.mutation === 'admission-off' ? 'free' : job.mode,
    concurrency: job.concurrency,
    keysMax: job.keysMax,
    signal: abort.signal,
    now: clock.now,
    random: random.next,
    sleep: clock.sleep,
    onEvent: (event) => {
      if (event.kind === 'unit-retried') trace.add(clock.now(), event.file, 'retried (file)');
      if (event.kind === 'file-waiting') trace.add(clock.now(), event.file, 'waiting (file)');
    },
  });
  const abortion = abortLater(world, abort);
  const end = await clock.run(run);
  abort.abort();
  await abortion;

  if (end.kind === 'stuck') return { outcomes: [], problem: 'a deadlock: nothing moves any more' };
  if (end.kind === 'rejected') {
    return { outcomes: [], problem: `a defect: ${errorRecordOf(end.reason).sentence}` };
  }
  const { sessions, problems } = workers;
  const problem =
    problems[0] ??
    (sessions.now === 0 ? null : `${sessions.now} sessions are still open`) ??
    (sessions.peak <= job.concurrency ? null : `${sessions.peak} sessions were open at once`) ??
    outcomesProblem(load, end.value, world);
  return { outcomes: end.value, problem };
}

async function abortLater({ clock, faults }: SimulatedWorld, abort: AbortController) {
  if (faults.abortAtMs === null) return;
  await clock.sleep(faults.abortAtMs, abort.signal).then(
    () => abort.abort(),
    () => undefined,
  );
}

/** Whether what the scheduler tells of the units is what happened to them. */
function outcomesProblem(
  load: PipelineLoad,
  outcomes: readonly UnitOutcome[],
  { faults, database }: SimulatedWorld,
): string | null {
  if (outcomes.length !== load.units.length) return 'there is one outcome per unit';
  const lowestFailed = outcomes.findIndex(({ status }) => status === 'failed');
  for (const [ordinal, outcome] of outcomes.entries()) {
    const files = load.units[ordinal]?.files ?? [];
    const told = outcome.merged?.files.map(({ file }) => file) ?? [];
    const loaded = files.filter((file) => database.ledger.has(file));
    const what = `unit ${ordinal} is told ${outcome.status} with files [${told.join()}]`;
    if (outcome.unit !== ordinal) return `${what} at the place of another`;
    if (outcome.status === 'merged' && told.length < files.length) return `${what} only`;
    if (outcome.status === 'failed' && outcome.failure === null) return `${what} without a failure`;
    if (told.join() !== loaded.join() && !mayBeInDoubt(outcome, faults)) {
      return `${what}, the ledger holds [${loaded.join()}]`;
    }
    const mustMerge = lowestFailed < 0 || ordinal < lowestFailed;
    if (mustMerge && outcome.status !== 'merged' && faults.abortAtMs === null) {
      return `${what}, but no earlier unit failed`;
    }
  }
  return null;
}

/** An abort, or the last try, may leave a commit of which only the ledger knows. */
function mayBeInDoubt({ attempts, merged }: UnitOutcome, faults: Faults): boolean {
  return merged === null && (faults.abortAtMs !== null || attempts === LIMITS.attemptsMax);
}
