import { spawn } from 'node:child_process';
import { access, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EtlError } from '../../src/errors.ts';
import { didYouMean } from '../../src/job/nearest-name.ts';
import type { ExampleFigure, ExampleSize, ReportedFigures } from './example-result.ts';

/** Where examples are: in a checkout, since the package brings neither them nor what runs TypeScript. */
export interface Examples {
  /** Of the checkout. */
  readonly root: string;
  readonly names: readonly string[];
}

export interface ExampleOrder {
  readonly name: string;
  readonly size: ExampleSize;
  readonly databaseUrl: string;
  readonly signal: AbortSignal;
  /** What the example says while it works. */
  readonly onLine: (line: string) => void;
}

/** What tools/run-example.ts prints with --json. */
interface RunnerAnswer {
  readonly reported: ReportedFigures;
  readonly figures: readonly ExampleFigure[];
}

const RUNNER = 'tools/run-example.ts';
const BUILT = 'dist/src/cli/main.js';
const LINE_SHOWN_MAX = 500;
const ANSWER_CHARACTERS_MAX = 1024 * 1024;

/**
 * The examples that are asked for; none: all, by name.
 *
 * @throws EtlError ETL_USAGE where there are none, or no such one
 */
export async function findExamples(asked: readonly string[]): Promise<Examples> {
  const root = await findCheckout(dirname(fileURLToPath(import.meta.url)));
  if (root === null) {
    throw new EtlError(
      'ETL_USAGE',
      'The examples are not here: the package comes without them.',
      'Run it in a checkout of the project, after npm ci and npm run build.',
    );
  }
  const all = await namesIn(join(root, 'examples'));
  for (const name of asked) {
    if (all.includes(name)) continue;
    throw new EtlError(
      'ETL_USAGE',
      `There is no example "${name}".${didYouMean(name, all)}`,
      `The examples: ${all.join(', ')}; or all.`,
    );
  }
  return { root, names: asked.length === 0 ? all : asked };
}

/** @throws EtlError ETL_USAGE where the command line that examples run is not built */
export async function checkBuilt({ root }: Examples): Promise<void> {
  if (await exists(join(root, BUILT))) return;
  const remedy = 'Run npm run build.';
  throw new EtlError('ETL_USAGE', 'The project is not built.', remedy, { file: BUILT });
}

/**
 * Runs one example in a process of its own, so that its memory is its own.
 *
 * @throws EtlError ETL_INTERNAL where it fails, with its own words
 */
export async function runInCheckout(
  { root }: Examples,
  { name, size, databaseUrl, signal, onLine }: ExampleOrder,
): Promise<RunnerAnswer> {
  const words = ['--import', 'tsx', join(root, RUNNER), name, '--size', size, '--json'];
  // By the environment: everyone may read the words of a command.
  const env = { ...process.env, EXAMPLE_DATABASE_URL: databaseUrl };
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, words, { cwd: root, env, signal, stdio: [...stdio] });
  let answer = '';
  let failure = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    answer = (answer + text).slice(-ANSWER_CHARACTERS_MAX);
  });
  createInterface(child.stderr).on('line', (line) => {
    const said = new RegExp(`^${name}: (.+)`).exec(line)?.[1];
    if (said !== undefined) onLine(said.slice(0, LINE_SHOWN_MAX));
    failure = /^\w*Error(?: \[\w+\])?: (.+)/.exec(line)?.[1] ?? failure;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    let refused: Error | null = null;
    child.on('error', (error) => (refused = error));
    // Whoever is interrupted removes its files and ends its own processes before it closes.
    child.on('close', (ended) => {
      if (refused === null) resolve(ended);
      else reject(refused);
    });
  });
  if (code === 0) return JSON.parse(answer) as RunnerAnswer;
  throw new EtlError(
    'ETL_INTERNAL',
    `It failed: ${failure.slice(0, LINE_SHOWN_MAX) || `exit code ${code ?? 'of a signal'}`}`,
    `See more with npm run examples -- ${name} --size ${size}.`,
  );
}

/** The nearest folder above that has what runs examples: from the source and from a build alike. */
async function findCheckout(folder: string): Promise<string | null> {
  if (await exists(join(folder, RUNNER))) return folder;
  const parent = dirname(folder);
  return parent === folder ? null : findCheckout(parent);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const runnable = await Promise.all(names.map((name) => exists(join(folder, name, 'run.ts'))));
  return names.filter((_, place) => runnable[place]).sort();
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
