import type { Argv } from 'yargs';
import { SUITES, type Suite } from '../../benchmarks/scenario.ts';
import { didYouMean } from '../job/nearest-name.ts';
import { LIMITS } from '../limits.ts';
import { onlyValue, usage } from './flag-values.ts';
import type { Flag } from './flags.ts';

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
  flag('suite', SUITES.join(', '), 'How much to measure.', 'quick'),
  { ...flag('scenario', 'NAME', 'Only these scenarios (may be repeated).', ''), takes: 'many' },
  {
    ...flag(
      'example',
      'NAME',
      'Real jobs of a checkout, beside what was reported of them; or all.',
      '',
    ),
    takes: 'many',
  },
  flag('runs', 'N', 'Measured runs of each contender, after one that warms up.', 'of the suite'),
  flag('seed', 'N', 'Seed of the generated data.', '1'),
  flag('output', 'DIR', 'Folder for results.json and index.html.', 'benchmark-results'),
  flag('database-url', 'URL', 'Measure this server, in a scratch schema.', 'a server of its own'),
  flag('peers', '', 'Let other tools that are installed load the same.', ''),
  flag('config', 'FILE', "Tune this job for its own database, by samples of the job's files.", ''),
  flag('apply', '', 'Write the settings that --config recommends into the job file.', ''),
  flag('minutes', 'N', 'Time for the measurements of --config.', String(MINUTES)),
  flag('json', '', 'Print only the results on stdout, as JSON.', ''),
];

function flag(name: string, values: string, description: string, defaultText: string): Flag {
  const takes = values === '' ? 'nothing' : 'one';
  return { name, group: 'This call', description, option: null, takes, values, defaultText };
}

/** Declares the flags of `etl benchmark`. */
export function benchmarkFlags(parser: Argv): Argv {
  parser.usage('etl benchmark [flags]\n\nMeasures loads, and checks each loaded table.');
  for (const { name, description, takes, values, defaultText } of BENCHMARK_FLAGS) {
    parser.option(name, {
      describe: values === '' ? description : `${description} (${values})`,
      type: takes === 'nothing' ? 'boolean' : 'string',
      ...(takes === 'many' ? { array: true } : {}),
      ...(takes === 'nothing' ? {} : { requiresArg: true }),
      ...(defaultText === '' ? {} : { defaultDescription: defaultText }),
    });
  }
  return parser
    .example('etl benchmark --suite standard --peers', 'Against what people use instead')
    .example('etl benchmark --scenario six-files-half --runs 5', 'One scenario, more often')
    .example('etl benchmark --example all --suite full', 'The examples at full size')
    .example('etl benchmark --config prod.json --apply', 'Tune a job for its own server');
}

export function benchmarkArguments(words: Readonly<Record<string, unknown>>): BenchmarkArguments {
  const of = (name: string): unknown => {
    const known = BENCHMARK_FLAGS.find((one) => one.name === name);
    return known === undefined ? undefined : onlyValue(known, words[name]);
  };
  const text = (name: string) => (of(name) as string | undefined) ?? null;
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
    runs: wholeNumber('runs', text('runs'), 1, LIMITS.benchmarkRunsMax),
    seed: wholeNumber('seed', text('seed'), 0, SEED_MAX) ?? 1,
    output: text('output') ?? 'benchmark-results',
    databaseUrl: databaseUrlOf(text('database-url')),
    peers: of('peers') === true,
    configPath,
    apply,
    minutes: wholeNumber('minutes', text('minutes'), 1, MINUTES_MAX) ?? MINUTES,
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

function wholeNumber(
  name: string,
  text: string | null,
  least: number,
  most: number,
): number | null {
  if (text === null) return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw usage(
    `--${name}: ${JSON.stringify(text)} is not a whole number from ${least} to ${most}.`,
    'See etl benchmark --help.',
  );
}
