import type { Argv } from 'yargs';
import type { Override } from '../job/overlay.ts';
import { LIMITS } from '../limits.ts';
import { onlyValue, overrideOf, usage } from './flag-values.ts';
import { FLAGS, type Flag } from './flags.ts';

/** The words of the commands that tell what is: `etl history`, `etl verify`, `etl doctor`. */
export interface StateArguments {
  readonly overrides: readonly Override[];
  readonly configPath: string | null;
  readonly json: boolean;
  readonly verbose: boolean;
}

export interface HistoryArguments extends StateArguments {
  readonly runId: string | null;
  /** A table's name; null: of all tables. */
  readonly table: string | null;
  readonly limit: number;
}

const LIMIT = 20;

const SERVER_FLAGS = ['database-url', 'ledger-schema', 'connect-timeout-ms'] as const;

const JSON_FLAG: Flag = {
  ...callFlag('json', '', 'Print only the result on stdout, as JSON.', ''),
};

export const HISTORY_FLAGS: readonly Flag[] = [
  callFlag('table', '[schema.]name', 'Only runs that loaded into this table, or tried to.', ''),
  callFlag('limit', 'N', 'So many runs, the newest first.', String(LIMIT)),
  ...flagsNamed([...SERVER_FLAGS, 'config', 'verbose']),
  JSON_FLAG,
];

export const DOCTOR_FLAGS: readonly Flag[] = [
  ...flagsNamed([...SERVER_FLAGS, 'concurrency', 'session', 'config', 'verbose']),
  JSON_FLAG,
];

const NOT_OF_VERIFY = ['dry-run', 'force', 'retry-rejects', 'report', 'quiet', 'json'];

/** Those of `etl run` that say what is loaded, and where: the same words verify what they loaded. */
export const VERIFY_FLAGS: readonly Flag[] = [
  ...FLAGS.filter((flag) => !NOT_OF_VERIFY.includes(flag.name)),
  callFlag(
    'whole-table',
    '',
    'The table holds nothing but these files: other rows are differences, too.',
    '',
  ),
  JSON_FLAG,
];

function flagsNamed(names: readonly string[]): Flag[] {
  return FLAGS.filter((flag) => names.includes(flag.name));
}

function callFlag(name: string, values: string, description: string, defaultText: string): Flag {
  const takes = values === '' ? 'nothing' : 'one';
  return { name, group: 'This call', description, option: null, takes, values, defaultText };
}

export function historyFlags(parser: Argv): Argv {
  return withFlags(
    parser
      .usage('etl history [run] [flags]\n\nRuns, newest first; of a single run its files, too.')
      .positional('run', { describe: 'A run id', defaultDescription: 'all runs' }),
    HISTORY_FLAGS,
  )
    .example('etl history --table app.orders --limit 5', 'The last runs on a table')
    .example('etl history 20261122103502-7f3a1c', 'The files of a run');
}

export function doctorFlags(parser: Argv): Argv {
  return withFlags(
    parser.usage(
      'etl doctor [flags]\n\nChecks what a load needs, and says what to do. Changes nothing.',
    ),
    DOCTOR_FLAGS,
  )
    .example('etl doctor --database-url postgres://loader@db/shop', 'A server')
    .example('etl doctor --config prod.json', 'And the tables, files and settings of a job');
}

function withFlags(parser: Argv, flags: readonly Flag[]): Argv {
  for (const { name, group, description, takes, values, defaultText } of flags) {
    parser.option(name, {
      group: `${group}:`,
      describe: values === '' ? description : `${description} (${values})`,
      type: takes === 'nothing' ? 'boolean' : 'string',
      ...(takes === 'many' ? { array: true } : {}),
      ...(takes === 'nothing' ? {} : { requiresArg: true }),
      ...(defaultText === '' ? {} : { defaultDescription: defaultText }),
    });
  }
  return parser;
}

type Words = Readonly<Record<string, unknown>>;

export function historyArguments(words: Words): HistoryArguments {
  const limit = textOf(HISTORY_FLAGS, words, 'limit') ?? String(LIMIT);
  if (!/^\d{1,9}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIMITS.historyRunsMax) {
    throw usage(
      `--limit: ${JSON.stringify(limit)} is not a whole number from 1 to ${LIMITS.historyRunsMax}.`,
      'See etl history --help.',
    );
  }
  const run = words['run'];
  return {
    ...stateArguments(HISTORY_FLAGS, words),
    runId: typeof run === 'string' ? run : null,
    table: textOf(HISTORY_FLAGS, words, 'table'),
    limit: Number(limit),
  };
}

export function doctorArguments(words: Words): StateArguments {
  return stateArguments(DOCTOR_FLAGS, words);
}

function stateArguments(flags: readonly Flag[], words: Words): StateArguments {
  return {
    overrides: flags.flatMap((flag) => overrideOf(flag, words[flag.name])),
    configPath: textOf(flags, words, 'config'),
    json: words['json'] === true,
    verbose: words['verbose'] === true,
  };
}

function textOf(flags: readonly Flag[], words: Words, name: string): string | null {
  const flag = flags.find((known) => known.name === name);
  const value = flag === undefined ? undefined : onlyValue(flag, words[name]);
  return typeof value === 'string' ? value : null;
}
