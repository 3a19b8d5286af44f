import { EtlError, errorRecordOf, type ErrorRecord } from '../src/errors.ts';
import type { Contender } from './contenders/contender.ts';
import { contendersOf } from './contenders/contenders.ts';
import { createDatasets, type Dataset, type Datasets } from './datasets.ts';
import { withLatency } from './latency-proxy.ts';
import { measure, type Meter } from './measure/measure.ts';
import type { Peer, UnavailablePeer } from './peers/peers.ts';
import type { BenchmarkCase, RunMeasurement } from './results.ts';
import { resetScratch, SCRATCH_TABLE, tableDigest } from './scratch-table.ts';
import type { Scenario } from './scenario.ts';

export interface ScenarioOptions {
  readonly meter: Meter;
  readonly scenario: Scenario;
  readonly rows: number;
  readonly tableRows: number;
  /** Measured runs of each contender, after one that only warms up. */
  readonly runs: number;
  readonly seed: number;
  /** Name of the scratch schema; it may exist, and is lost. */
  readonly schema: string;
  /** For the files; they are removed. */
  readonly folder: string;
  readonly peers: {
    readonly available: readonly Peer[];
    readonly unavailable: readonly UnavailablePeer[];
  };
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export type Progress =
  | { readonly kind: 'scenario'; readonly scenario: Scenario; readonly rows: number }
  | {
      readonly kind: 'run';
      readonly contender: Contender;
      /** 0 is the one that warms up. */
      readonly round: number;
      readonly measurement: RunMeasurement;
    }
  | { readonly kind: 'skipped'; readonly contender: string; readonly error: ErrorRecord };

/** A contender's case while it grows. */
interface Entry {
  readonly contender: Contender;
  readonly runs: RunMeasurement[];
  dataset: Dataset | null;
  chosen: BenchmarkCase['chosen'];
  error: ErrorRecord | null;
}

/** What a scenario gave; `failures`: why a contender that should have loaded did not. */
export interface ScenarioEnd {
  readonly cases: readonly BenchmarkCase[];
  readonly failures: readonly string[];
}

/**
 * Loads one scenario with each contender in turn (A B C A B C …), so that a machine that slows down
 * in the meantime slows down all of them. After each run the table is compared with the one that
 * arithmetic says must come out.
 */
export async function runScenario(options: ScenarioOptions): Promise<ScenarioEnd> {
  const { scenario, onProgress } = options;
  onProgress({ kind: 'scenario', scenario, rows: options.rows });
  const { present, absent } = await contendersOf(scenario, options.peers);
  const datasets = createDatasets({ ...options, connection: options.meter.connection });
  const entries: Entry[] = present.map((contender) => {
    return { contender, runs: [], dataset: null, chosen: null, error: null };
  });
  try {
    for (let round = 0; round <= options.runs; round++) {
      for (const entry of entries) {
        if (entry.error === null) await runOnce(entry, datasets, round, options);
      }
    }
  } finally {
    await datasets.remove();
  }
  const missing = absent.map(({ name, why }) => absentCase(options, name, why));
  return {
    cases: [...entries.map((entry) => caseOf(entry, options)), ...missing],
    failures: entries.flatMap((entry) => failureOf(entry, scenario)),
  };
}

async function runOnce(
  entry: Entry,
  datasets: Datasets,
  round: number,
  options: ScenarioOptions,
): Promise<void> {
  const { contender } = entry;
  const { signal, onProgress } = options;
  try {
    entry.dataset ??= await datasets.for(contender);
    const measurement = await measureRun(entry, entry.dataset, round === 0, options);
    entry.runs.push(measurement);
    onProgress({ kind: 'run', contender, round, measurement });
  } catch (error) {
    signal.throwIfAborted();
    entry.error = errorRecordOf(error);
    onProgress({ kind: 'skipped', contender: titleOf(contender), error: entry.error });
  }
}

async function measureRun(
  entry: Entry,
  dataset: Dataset,
  warmUp: boolean,
  options: ScenarioOptions,
): Promise<RunMeasurement> {
  const { meter, scenario, schema, signal } = options;
  const { contender } = entry;
  const { shape, folder, files, expected } = dataset;
  signal.throwIfAborted();
  const withTable = !(scenario.fresh && contender.createsTable);
  await resetScratch(meter.connection, schema, shape, withTable);
  const measured = await withLatency(meter.databaseUrl, scenario.latencyMs, (databaseUrl) =>
    measure(meter, () =>
      contender.run({ databaseUrl, schema, table: SCRATCH_TABLE, shape, folder, files, signal }),
    ),
  );
  const { result } = measured;
  entry.chosen = result.chosen;
  const digest = await tableDigest(meter.connection, schema, shape);
  return {
    warmUp,
    wallMs: measured.wallMs,
    clientCpuMs: result.clientCpuMs,
    serverCpuMs: measured.serverCpuMs,
    rssPeakBytes: result.rssPeakBytes,
    // A session may have come and gone between two looks.
    connectionsPeak: Math.max(measured.connectionsPeak, result.connectionsPeak ?? 0),
    walBytes: measured.walBytes,
    lockWaits: measured.lockWaits,
    correct: digest === expected,
    digest,
    predicted: result.predicted,
    timeline: result.timeline,
  };
}

function caseOf(entry: Entry, { scenario, rows }: ScenarioOptions): BenchmarkCase {
  const { contender, dataset, runs, chosen, error } = entry;
  return {
    scenario: scenario.name,
    contender: contender.name,
    strategy: contender.strategy,
    chosen,
    concurrency: contender.concurrency,
    rows: dataset?.shape.rows ?? rows,
    bytes: dataset?.files.bytes ?? 0,
    runs,
    skipped: error?.sentence ?? null,
  };
}

function absentCase(options: ScenarioOptions, contender: string, why: string): BenchmarkCase {
  const { scenario, rows } = options;
  return {
    scenario: scenario.name,
    contender,
    strategy: null,
    chosen: null,
    concurrency: null,
    rows,
    bytes: 0,
    runs: [],
    skipped: why,
  };
}

/** A strategy that says it cannot do the load, a peer that breaks or a full disk is no failure. */
function failureOf({ contender, error, runs }: Entry, { name }: Scenario): string[] {
  const title = `${name}, ${titleOf(contender)}`;
  const wrong = runs.filter((run) => !run.correct).length;
  if (contender.deterministic && wrong > 0) {
    return [`${title}: the table was wrong after ${wrong} of ${runs.length} runs`];
  }
  const excused = error === null || ['ETL_USAGE', 'ETL_PEER', 'ETL_LIMIT'].includes(error.code);
  return excused
    ? []
    : [`${title}: ${new EtlError(error.code, error.sentence, '', error.facts).message}`];
}

export function titleOf({ name, strategy, concurrency }: Contender): string {
  const how = [strategy, concurrency === null ? null : `x${concurrency}`];
  return [name, ...how.filter((part) => part !== null)].join(' ');
}
