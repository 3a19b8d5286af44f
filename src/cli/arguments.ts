import yargs, { type Argv } from 'yargs';
import { didYouMean } from '../job/nearest-name.ts';
import {
  BENCHMARK_FLAGS,
  benchmarkArguments,
  benchmarkFlags,
  type BenchmarkArguments,
} from './benchmark-arguments.ts';
import { COMMANDS } from './command-names.ts';
import { DB_ACTIONS, dbAction, type DbAction } from './db-arguments.ts';
import { FLAGS, type Flag } from './flags.ts';
import { usage } from './flag-values.ts';
import { loadArguments, loadFlags, type LoadArguments } from './load-arguments.ts';
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
