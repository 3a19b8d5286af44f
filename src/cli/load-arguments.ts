import type { Argv } from 'yargs';
import type { Override } from '../job/overlay.ts';
import { declareFlags } from './declare-flags.ts';
import { overrideOf, usage, valuesIn } from './flag-values.ts';
import { filesOption, FLAGS } from './flags.ts';
import { VERIFY_FLAGS } from './state-arguments.ts';

/** The words of the commands that are about a load: `etl run`, `etl plan`, `etl verify`. */
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

export function loadFlags(
  parser: Argv,
  command: 'run' | 'plan' | 'verify',
  argv: readonly string[],
): Argv {
  const hidden = !mayAskForHelp(argv);
  parser.usage(`etl ${command} [files…] [flags]`).positional('files', {
    describe: filesOption?.description ?? '',
    defaultDescription: 'those of the job file',
  });
  return declareFlags(parser, command === 'verify' ? VERIFY_FLAGS : FLAGS, hidden)
    .example(`etl ${command} 'in/**/*.csv' --table app.orders --key order_id`, '')
    .example(
      `etl ${command} a.parquet b.csv.gz --table t --on-conflict newest --version-column at`,
      '',
    )
    .example(`etl ${command} --config prod.json --concurrency 4`, '');
}

/**
 * The parser lays out its help after every command, wanted or not, which is two thirds of its time; so
 * flags are hidden from it unless a word may ask for help: `help`, `--help`, `--help=true`, `-h` alone or
 * among other letters, but not `--threads`.
 */
function mayAskForHelp(argv: readonly string[]): boolean {
  return argv.some((word) => /^(?:help$|--h(?:elp)?(?:=|$)|-\w*h)/.test(word));
}

type LoadWords = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] };

export function loadArguments(words: LoadWords): LoadArguments {
  // Files after `--`, where names may begin with a dash, are left beside the command's name.
  const files = [
    ...((words['files'] as string[] | undefined) ?? []),
    ...words._.slice(1).map(String),
  ];
  const ofCall = valuesIn(FLAGS, words);
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
