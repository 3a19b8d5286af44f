import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ExampleSize } from '../../benchmarks/examples/example-result.ts';
import type { BenchmarkResults } from '../../benchmarks/results.ts';
import type { SizedScenario } from '../../benchmarks/scenarios.ts';
import type { Suite } from '../../benchmarks/scenario.ts';
import { EtlError, EXIT, type ExitCode } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { pageFor } from '../report/page.ts';
import { safeText } from '../report/safe-text.ts';
import type { BenchmarkArguments } from './benchmark-arguments.ts';
import { writeReportFile } from './report-file.ts';
import { packageVersion } from './version.ts';
import { colorOf, widthOf, type World } from './world.ts';

/** Measured runs of each contender. */
const RUNS: Readonly<Record<Suite, number>> = { quick: 1, standard: 2, full: 3 };

/**
 * `etl benchmark`: runs the scenarios of a suite and writes what it measured. Exit code 1 where a
 * table was wrong, or the engine failed. What it needs is imported only when it runs.
 */
export async function benchmarkCommand(asked: BenchmarkArguments, world: World): Promise<ExitCode> {
  const { stdout, stderr, signal } = world;
  const { runBenchmark } = await import('../../benchmarks/run-benchmark.ts');
  const { progressLine, benchmarkText } = await import('../../benchmarks/benchmark-text.ts');
  const scenarios = await scenariosFor(asked);
  const folder = await outputFolder(asked.output, world.cwd);
  const server = await openServer(asked, signal);
  const told = asked.json ? stderr : stdout;
  const page = pageFor({ color: colorOf(told, world.env), width: widthOf(told) });
  let kept = 0;
  try {
    const { results, failures } = await runBenchmark({
      ...{ databaseUrl: server.url, embedded: server.embedded, signal, scenarios },
      suite: suiteText(asked),
      examples: asked.examples === null ? null : { names: asked.examples, size: sizeOf(asked) },
      seed: asked.seed,
      runs: asked.runs ?? RUNS[asked.suite],
      version: await packageVersion(),
      peers: await peersFor(asked, scenarios),
      now: () => new Date(),
      onProgress: (progress) => void told.write(`${progressLine(progress, page)}\n`),
      onResults: async (soFar) => {
        await writeResults(soFar, folder);
        kept += 1;
      },
    });
    if (asked.json) stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    else stdout.write(`\n${benchmarkText(results, page)}\n`);
    for (const failure of failures) stderr.write(`etl: ${safeText(failure)}.\n`);
    told.write(`Written: ${join(folder, 'results.json')}, ${join(folder, 'index.html')}\n`);
    return failures.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    if (signal.aborted && kept > 0) stderr.write(`etl: ${keptText(kept, folder)}\n`);
    await server.release();
  }
}

function keptText(count: number, folder: string): string {
  const kept = `${count} of the scenarios and examples ${count === 1 ? 'was' : 'were'} measured`;
  return `${kept}: ${join(folder, 'results.json')}, ${join(folder, 'index.html')}.`;
}

/** Who asks for examples alone wants no scenario. */
async function scenariosFor(asked: BenchmarkArguments): Promise<readonly SizedScenario[]> {
  if (asked.examples !== null && asked.scenarios.length === 0) return [];
  const { chooseScenarios, readScenarios } = await import('../../benchmarks/scenarios.ts');
  return chooseScenarios(await readScenarios(), asked.suite, asked.scenarios);
}

function suiteText({ suite, scenarios, examples }: BenchmarkArguments): string {
  if (scenarios.length > 0) return `${suite}, chosen scenarios`;
  return examples === null ? suite : `${suite}, examples`;
}

/** The sizes that examples have: seconds, and the one that their READMEs tell of. */
function sizeOf({ suite }: BenchmarkArguments): ExampleSize {
  return suite === 'quick' ? 'small' : 'full';
}

/** Made before hours of measuring, not after. */
async function outputFolder(output: string, cwd: string): Promise<string> {
  const folder = resolve(cwd, output);
  try {
    await makeFolder(folder);
    return folder;
  } catch (cause) {
    throw new EtlError(
      'ETL_USAGE',
      'The folder for the results cannot be made.',
      'Give --output a folder that you may write to.',
      { file: output },
      { cause },
    );
  }
}

interface BenchmarkServer {
  readonly url: string;
  readonly embedded: boolean;
  release(): Promise<void>;
}

/** A server in a temporary folder: the user's own embedded one keeps its data and its caches. */
async function openServer(
  { databaseUrl }: BenchmarkArguments,
  signal: AbortSignal,
): Promise<BenchmarkServer> {
  if (databaseUrl !== null) {
    return { url: databaseUrl, embedded: false, release: async () => undefined };
  }
  const { startEmbedded } = await import('../embedded/embedded.ts');
  const home = join(tmpdir(), `etl-benchmark-pg-${randomBytes(4).toString('hex')}`);
  const server = await startEmbedded({ home, mode: 'attached', temporary: true, signal });
  return { url: server.url, embedded: true, release: () => server.release() };
}

async function peersFor(asked: BenchmarkArguments, scenarios: readonly SizedScenario[]) {
  const wanted = asked.peers && scenarios.some(({ scenario }) => scenario.peers.length > 0);
  if (!wanted) return { available: [], unavailable: [] };
  const { findPeers } = await import('../../benchmarks/peers/peers.ts');
  return findPeers();
}

/** Again after each scenario, so that a suite that is cut short leaves what it has measured. */
async function writeResults(results: BenchmarkResults, folder: string): Promise<void> {
  const { renderPage } = await import('../../benchmarks/page/render-page.ts');
  await writeReportFile('results.json', folder, `${JSON.stringify(results, null, 2)}\n`);
  await writeReportFile('index.html', folder, renderPage(results));
}
