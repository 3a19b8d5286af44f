import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Connection } from '../src/target/connect.ts';
import { certify } from './certificate.ts';
import type { ExampleResult } from './examples/example-result.ts';
import {
  runExamples,
  type ExampleProgress,
  type ExamplesOptions,
} from './examples/run-examples.ts';
import { findPostmaster } from './measure/server-cpu.ts';
import { benchmarkSession } from './measure/session.ts';
import type { Peer, UnavailablePeer } from './peers/peers.ts';
import { ratiosOf } from './ratios.ts';
import type { BenchmarkCase, BenchmarkResults, Certificate } from './results.ts';
import { runScenario, type Progress } from './run-scenario.ts';
import type { SizedScenario } from './scenarios.ts';
import { createScratchSchema } from './scratch-schema.ts';
import { dropScratch } from './scratch-table.ts';

export interface BenchmarkOptions {
  readonly databaseUrl: string;
  readonly embedded: boolean;
  /** For the certificate, as the version of this package. */
  readonly suite: string;
  readonly version: string;
  readonly scenarios: readonly SizedScenario[];
  /** Measured runs of each contender, after one that only warms up. */
  readonly runs: number;
  readonly seed: number;
  readonly peers: {
    readonly available: readonly Peer[];
    readonly unavailable: readonly UnavailablePeer[];
  };
  /** Real jobs that run after the scenarios; null: none. */
  readonly examples?: Pick<ExamplesOptions, 'names' | 'size'> | null;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly onProgress: (progress: Progress | ExampleProgress) => void;
  /** All so far, after each scenario and example. */
  readonly onResults?: (results: BenchmarkResults) => Promise<void>;
}

export interface BenchmarkEnd {
  readonly results: BenchmarkResults;
  /** A wrong table, an engine that failed: a sentence for each. */
  readonly failures: readonly string[];
}

/**
 * Runs the scenarios one after another in a scratch schema of the database. The schema and the
 * files are gone at the end, however it ends.
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkEnd> {
  const { databaseUrl, suite, seed, embedded, version } = options;
  const startedAt = options.now().toISOString();
  const schema = `etl_benchmark_${randomBytes(4).toString('hex')}`;
  const connection = await connect(benchmarkSession(databaseUrl));
  // A digest of millions of rows takes its time; whoever interrupts does not want to wait for it.
  const cut = (): void => connection.destroy();
  options.signal.addEventListener('abort', cut);
  const folder = await mkdtemp(join(tmpdir(), 'etl-benchmark-'));
  try {
    await createScratchSchema(connection, schema);
    const about = { startedAt, suite, seed, embedded, etl: version };
    const certificate = await certify(databaseUrl, about);
    return await runAll(options, certificate, { connection, schema, folder });
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  } finally {
    options.signal.removeEventListener('abort', cut);
    await connection.end();
    await rm(folder, { recursive: true, force: true });
    await dropSchema(databaseUrl, schema);
  }
}

async function runAll(
  options: BenchmarkOptions,
  certificate: Omit<Certificate, 'finishedAt'>,
  scratch: { readonly connection: Connection; readonly schema: string; readonly folder: string },
): Promise<BenchmarkEnd> {
  const { databaseUrl, seed, peers, signal, onProgress, examples = null } = options;
  const { connection, schema, folder } = scratch;
  const meter = { databaseUrl, connection, postmaster: await findPostmaster(connection) };
  const cases: BenchmarkCase[] = [];
  const failures: string[] = [];
  let jobs: readonly ExampleResult[] = [];
  const resultsNow = (): BenchmarkResults => ({
    version: 1,
    certificate: { ...certificate, finishedAt: options.now().toISOString() },
    cases: [...cases],
    ratios: ratiosOf(cases),
    ...(examples === null ? {} : { examples: jobs }),
  });
  let results = resultsNow();
  for (const { scenario, rows, tableRows } of options.scenarios) {
    const runs = Math.min(options.runs, scenario.runsMax || options.runs);
    const end = await runScenario({
      ...{ meter, scenario, rows, tableRows, runs, seed, schema, folder },
      ...{ peers, signal, onProgress },
    });
    cases.push(...end.cases);
    failures.push(...end.failures);
    results = resultsNow();
    await options.onResults?.(results);
  }
  if (examples !== null) {
    const end = await runExamples({
      ...{ databaseUrl, signal, onProgress, ...examples },
      onResults: async (soFar) => {
        jobs = soFar;
        results = resultsNow();
        await options.onResults?.(results);
      },
    });
    failures.push(...end.failures);
  }
  return { results, failures };
}

/** On a connection of its own: the other one may have been cut, or lost. */
async function dropSchema(databaseUrl: string, schema: string): Promise<void> {
  const connection = await connect(benchmarkSession(databaseUrl));
  try {
    await dropScratch(connection, schema);
  } finally {
    await connection.end();
  }
}
