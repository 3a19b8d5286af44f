import type { Argv } from 'yargs';
import { SUITES, type Suite } from '../../benchmarks/scenario.ts';
import { didYouMean } from '../job/nearest-name.ts';
import { LIMITS } from '../limits.ts';
import { declareFlags } from './declare-flags.ts';
import { usage, valuesIn, wholeNumber } from './flag-values.ts';
import { callFlag, type Flag } from './flags.ts';

export interface BenchmarkArguments {
  readonly suite: Suite;
  /** Names; none: all of the suite. */
  readonly scenarios: readonly string[];
  /** Null: none; empty: all. Asked for alone, no scenario runs. */
  readonly examples: readonly string[] | null;
  /** Null: as many as the suite takes. */
  readonly runs: number | null;
  readonly seed: number;
  readonly output: string;
  /** Null: a server of the benchmark's own. */
  readonly databaseUrl: string | null;
  readonly peers: boolean;
  readonly configPath: string | null;
  readonly apply: boolean;
  /** For tuning. */
  readonly minutes: number;
  readonly json: boolean;
}

const MINUTES = 10;
const MINUTES_MAX = 24 * 60;
const SEED_MAX = 4_294_967_295;

export const BENCHMARK_FLAGS: readonly Flag[] = [
  callFlag('suite', SUITES.join(', '), 'How much to measure.', 'quick'),
  { ...callFlag('scenario', 'NAME', 'Only these scenarios (may be repeated).'), takes: 'many' },
  {
    ...callFlag(
      'example',
      'NAME',
      'Real jobs of a checkout, beside what was reported of them; or all.',
    ),
    takes: 'many',
  },
  callFlag(
    'runs',
    'N',
    'Measured runs of each contender, after one that warms up.',
    'of the suite',
  ),
  callFlag('seed', 'N', 'Seed of the generated data.', '1'),
  callFlag('output', 'DIR', 'Folder for results.json and index.html.', 'benchmark-results'),
  callFlag(
    'database-url',
    'URL',
    'Measure this server, in a scratch schema.',
    'a server of its own',
  ),
  callFlag('peers', '', 'Let other tools that are installed load the same.'),
  callFlag('config', 'FILE', "Tune this job for its own database, by samples of the job's files."),
  callFlag('apply', '', 'Write the settings that --config recommends into the job file.'),
  callFlag('minutes', 'N', 'Time for the measurements of --config.', String(MINUTES)),
  callFlag('json', '', 'Print only the results on stdout, as JSON.'),
];

/** Declares the flags of `etl benchmark`. */
export function benchmarkFlags(parser: Argv): Argv {
  parser.usage('etl benchmark [flags]\n\nMeasures loads, and checks each loaded table.');
  return declareFlags(parser, BENCHMARK_FLAGS)
    .example('etl benchmark --suite standard --peers', 'Against what people use instead')
    .example('etl benchmark --scenario six-files-half --runs 5', 'One scenario, more often')
    .example('etl benchmark --example all --suite full', 'The examples at full size')
    .example('etl benchmark --config prod.json --apply', 'Tune a job for its own server');
}

export function benchmarkArguments(words: Readonly<Record<string, unknown>>): BenchmarkArguments {
  const of = valuesIn(BENCHMARK_FLAGS, words);
  const text = (name: string) => (of(name) as string | undefined) ?? null;
  const number = (name: string, least: number, most: number): number | null => {
    const given = text(name);
    return given === null ? null : wholeNumber(name, given, least, most);
  };
  const configPath = text('config');
  const apply = of('apply') === true;
  if (apply && configPath === null) {
    throw usage('--apply needs a job file to write to.', 'Name it with --config FILE.');
  }
  const examples = namesOf(words['example']);
  return {
    suite: suiteOf(text('suite') ?? 'quick'),
    scenarios: namesOf(words['scenario']) ?? [],
    examples: examples?.includes('all') === true ? [] : examples,
    runs: number('runs', 1, LIMITS.benchmarkRunsMax),
    seed: number('seed', 0, SEED_MAX) ?? 1,
    output: text('output') ?? 'benchmark-results',
    databaseUrl: databaseUrlOf(text('database-url')),
    peers: of('peers') === true,
    configPath,
    apply,
    minutes: number('minutes', 1, MINUTES_MAX) ?? MINUTES,
    json: of('json') === true,
  };
}

function namesOf(given: unknown): readonly string[] | null {
  return (given as string[] | undefined)?.flatMap((one) => one.split(',')) ?? null;
}

function suiteOf(word: string): Suite {
  const suite = SUITES.find((name) => name === word);
  if (suite !== undefined) return suite;
  const hint = didYouMean(word, SUITES);
  throw usage(`There is no suite "${word}".${hint}`, `It is one of ${SUITES.join(', ')}.`);
}

function databaseUrlOf(url: string | null): string | null {
  if (url === null || /^postgres(ql)?:\/\//.test(url)) return url;
  throw usage('--database-url is not a postgres:// URL.', 'Write postgres://user@host/database.');
}
