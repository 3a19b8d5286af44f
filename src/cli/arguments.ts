import yargs, { type Argv } from 'yargs';
import { didYouMean } from '../job/nearest-name.ts';
import type { Override } from '../job/overlay.ts';
import {
  BENCHMARK_FLAGS,
  benchmarkArguments,
  benchmarkFlags,
  type BenchmarkArguments,
} from './benchmark-arguments.ts';
import { DB_ACTIONS, dbAction, type DbAction } from './db-arguments.ts';
import { filesOption, FLAGS, type Flag } from './flags.ts';
import { onlyValue, overrideOf, usage } from './flag-values.ts';
import { refuseInherited, refuseMoreWords } from './refuse-words.ts';
import { SERVE_FLAGS, serveArguments, serveFlags, type ServeArguments } from './serve-arguments.ts';
import {
  DOCTOR_FLAGS,
  doctorArguments,
  doctorFlags,
  HISTORY_FLAGS,
  historyArguments,
  historyFlags,
  VERIFY_FLAGS,
  type HistoryArguments,
  type StateArguments,
} from './state-arguments.ts';

/** The only room that knows yargs. It reads the words; what they mean is the job's business. */
export type Invocation =
  | { readonly command: 'text'; readonly text: string }
  | { readonly command: 'run' | 'plan'; readonly load: LoadArguments }
  | { readonly command: 'history'; readonly history: HistoryArguments }
  | { readonly command: 'verify'; readonly load: LoadArguments; readonly wholeTable: boolean }
  | { readonly command: 'doctor'; readonly doctor: StateArguments }
  | { readonly command: 'benchmark'; readonly benchmark: BenchmarkArguments }
  | { readonly command: 'serve'; readonly serve: ServeArguments }
  | { readonly command: 'db'; readonly action: DbAction };

export interface LoadArguments {
  readonly overrides: readonly Override[];
  readonly configPath: string | null;
  readonly reportPath: string | null;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly retryRejects: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

const COMMANDS = [
  'run',
  'plan',
  'history',
  'verify',
  'doctor',
  'benchmark',
  'serve',
  'db',
] as const;
const RESERVED = ['_', '$0', 'files', 'run', 'action', 'help', 'h', 'version'];
const FLAGS_OF: Readonly<Record<(typeof COMMANDS)[number], readonly Pick<Flag, 'name'>[]>> = {
  run: FLAGS,
  plan: FLAGS,
  history: HISTORY_FLAGS,
  verify: VERIFY_FLAGS,
  doctor: DOCTOR_FLAGS,
  benchmark: BENCHMARK_FLAGS,
  serve: SERVE_FLAGS,
  db: [{ name: 'help' }, { name: 'version' }],
};

/** Throws ETL_USAGE for whatever it does not know, with the nearest name that it does. */
export async function parseArguments(
  argv: readonly string[],
  about: { readonly version: string; readonly width: number },
): Promise<Invocation> {
  refuseInherited(argv);
  const parser = commands(argv, about);
  let text = '';
  let refusal: Error | null | undefined;
  const words = await parser.parse([...argv], {}, (error, _, output) => {
    text = output;
    refusal = error;
  });
  const command = COMMANDS.find((name) => name === words._[0]);
  if (!(refusal instanceof Error) && text !== '') return { command: 'text', text: `${text}\n` };
  if (command === undefined) throw unknownCommand(words._[0]);
  refuseUnknownFlags(words, argv, command);
  if (refusal instanceof Error) throw refused(refusal);
  switch (command) {
    case 'db':
      return { command, action: dbAction(words['action'], words._) };
    case 'benchmark':
      refuseMoreWords(words._.slice(1), command, 'Scenarios are named by --scenario.');
      return { command, benchmark: benchmarkArguments(words) };
    case 'serve':
      refuseMoreWords(words._.slice(1), command, 'Jobs are named by --config.');
      return { command, serve: serveArguments(words) };
    case 'history':
      refuseMoreWords(words._.slice(1), command, 'It takes one run id, or none.');
      return { command, history: historyArguments(words) };
    case 'doctor':
      refuseMoreWords(words._.slice(1), command, 'A job is named by --config.');
      return { command, doctor: doctorArguments(words) };
    case 'verify':
      return { command, load: loadArguments(words), wholeTable: words['whole-table'] === true };
    case 'run':
    case 'plan':
      return { command, load: loadArguments(words) };
  }
}

type Words = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] };

function commands(argv: readonly string[], about: { version: string; width: number }): Argv {
  return yargs([...argv])
    .scriptName('etl')
    .detectLocale(false)
    .exitProcess(false)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .usage('Loads CSV, Parquet and JSON files into PostgreSQL in parallel, as if one by one.')
    .command('run [files..]', 'Load files into a table', (load) => loadFlags(load, 'run', argv))
    .command('plan [files..]', 'Show what run would do; changes nothing', (load) =>
      loadFlags(load, 'plan', argv),
    )
    .command('history [run]', 'The runs that the ledger knows, or the files of one', historyFlags)
    .command('verify [files..]', 'Compare the table with what its files should have left', (load) =>
      loadFlags(load, 'verify', argv),
    )
    .command('doctor', 'Check server, privileges, memory, disk and job', doctorFlags)
    .command('benchmark', 'Measure this machine, a server or a job', benchmarkFlags)
    .command('serve', 'Take uploads for named jobs over HTTP, and load them', serveFlags)
    .command('db <action>', 'The embedded PostgreSQL: start, stop, status, url', (db) =>
      db
        .usage(
          'etl db start|stop|status|url\n\nThe PostgreSQL that serves where no other is named.',
        )
        .example('psql "$(etl db url)"', 'Look at what was loaded')
        .example('etl db status', 'Exit code 0: it runs; 1: it does not'),
    )
    .example('etl run orders/*.csv --table orders --key order_id', 'Load, or update, by key')
    .example('etl plan --config prod.json', 'Show strategy, conflicts and costs first')
    .example('etl run --config prod.json', 'Load what a job file says')
    .example('etl verify --config prod.json', 'Exit code 0: the table is as it should be')
    .epilogue(
      'Exit codes: 0 all well, 1 failed, 2 usage, configuration or connection,\n' +
        '3 loaded with rejected rows, 130 interrupted.',
    )
    .version(about.version)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(about.width, 120));
}

function loadFlags(
  parser: Argv,
  command: 'run' | 'plan' | 'verify',
  argv: readonly string[],
): Argv {
  const hidden = !mayAskForHelp(argv);
  parser.usage(`etl ${command} [files…] [flags]`).positional('files', {
    describe: filesOption?.description ?? '',
    defaultDescription: 'those of the job file',
  });
  for (const flag of command === 'verify' ? VERIFY_FLAGS : FLAGS) {
    parser.option(flag.name, {
      group: `${flag.group}:`,
      describe: helpText(flag),
      hidden,
      type: flag.takes === 'nothing' ? 'boolean' : 'string',
      ...(flag.takes === 'many' ? { array: true } : {}),
      ...(flag.takes === 'nothing' ? {} : { requiresArg: true }),
      ...(flag.defaultText === '' ? {} : { defaultDescription: flag.defaultText }),
    });
  }
  return parser
    .example(`etl ${command} 'in/**/*.csv' --table app.orders --key order_id`, '')
    .example(
      `etl ${command} a.parquet b.csv.gz --table t --on-conflict newest --version-column at`,
      '',
    )
    .example(`etl ${command} --config prod.json --concurrency 4`, '');
}

/**
 * The parser lays out its help after every command, wanted or not, which is two
 * thirds of its time; so flags are hidden from it unless a word may ask for help: `help`, `--help`,
 * `--help=true`, `-h` alone or among other letters, but not `--threads`.
 */
function mayAskForHelp(argv: readonly string[]): boolean {
  return argv.some((word) => /^(?:help$|--h(?:elp)?(?:=|$)|-\w*h)/.test(word));
}

function helpText(flag: Flag): string {
  const off = flag.defaultText === 'on' ? ` --no-${flag.name} turns it off.` : '';
  return `${flag.description}${off}${flag.values === '' ? '' : ` (${flag.values})`}`;
}

function loadArguments(words: Words): LoadArguments {
  // Files after `--`, where names may begin with a dash, are left beside the command's name.
  const files = [
    ...((words['files'] as string[] | undefined) ?? []),
    ...words._.slice(1).map(String),
  ];
  const ofCall = (name: string): unknown => {
    const flag = FLAGS.find((known) => known.name === name && known.option === null);
    return flag === undefined ? undefined : onlyValue(flag, words[name]);
  };
  const textOf = (name: string) => (ofCall(name) as string | undefined) ?? null;
  const load: LoadArguments = {
    overrides: [
      ...(files.length === 0 || filesOption === undefined
        ? []
        : [{ path: filesOption.path, value: files, origin: 'command line' }]),
      ...FLAGS.flatMap((flag) => overrideOf(flag, words[flag.name])),
    ],
    configPath: textOf('config'),
    reportPath: textOf('report'),
    dryRun: ofCall('dry-run') === true,
    force: ofCall('force') === true,
    retryRejects: ofCall('retry-rejects') === true,
    json: ofCall('json') === true,
    quiet: ofCall('quiet') === true,
    verbose: ofCall('verbose') === true,
  };
  return checked(load);
}

function checked(load: LoadArguments): LoadArguments {
  if (load.quiet && load.verbose) {
    throw usage('--quiet and --verbose contradict each other.', 'Leave one of them out.');
  }
  if (load.retryRejects && (load.force || load.dryRun)) {
    const other = load.force ? '--force' : '--dry-run';
    throw usage(`--retry-rejects and ${other} contradict each other.`, 'Leave one of them out.');
  }
  const given = (name: string) => load.overrides.some((override) => override.path.at(-1) === name);
  if (load.configPath !== null) return load;
  if (!given('files') && !given('table')) {
    throw usage(
      'There is nothing to load.',
      'Name files and --table, or a job file with --config; see etl run --help.',
    );
  }
  if (!given('files')) throw usage('No files are named.', 'Name files or patterns; quote globs.');
  if (!given('table')) throw usage('No table is named.', 'Add --table [schema.]name.');
  return load;
}

function refuseUnknownFlags(
  words: Words,
  argv: readonly string[],
  command: (typeof COMMANDS)[number],
): void {
  const known = FLAGS_OF[command].map(({ name }) => name);
  const unknown = Object.keys(words).filter(
    (name) => !known.includes(name) && !RESERVED.includes(name),
  );
  if (unknown.length === 0) return;
  const sentences = unknown.map((name) => {
    const negated = argv.some((word) => word === `--no-${name}`) ? 'no-' : '';
    const dashes = name.length === 1 ? '-' : '--';
    const hint = didYouMean(name, known, `--${negated}`);
    return `There is no flag ${dashes}${negated}${name}.${hint}`;
  });
  throw usage(sentences.join(' '), `See etl ${command} --help.`);
}

function unknownCommand(word: string | number | undefined): Error {
  const remedy =
    'etl run loads, etl plan shows what run would do, etl history, verify and doctor tell what is, ' +
    'etl benchmark measures, etl serve takes uploads, etl db is the embedded server; see etl --help.';
  if (word === undefined) return usage('No command is given.', remedy);
  const name = String(word);
  return usage(`There is no command "${name}".${didYouMean(name, COMMANDS, 'etl ')}`, remedy);
}

/** What the parser itself refuses: a flag without its value, `etl db` without an action. */
function refused(error: Error): Error {
  const flag = /^Not enough arguments following: (.+)$/.exec(error.message)?.[1];
  if (flag !== undefined) return usage(`--${flag} needs a value.`, `Write --${flag} VALUE.`);
  if (error.message.startsWith('Not enough non-option arguments')) {
    return usage('etl db needs an action.', `It takes one of ${DB_ACTIONS.join(', ')}.`);
  }
  return usage(error.message, 'See etl --help.');
}
