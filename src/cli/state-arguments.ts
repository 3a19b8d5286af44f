import type { Argv } from 'yargs';
import type { Override } from '../job/overlay.ts';
import { LIMITS } from '../limits.ts';
import { declareFlags } from './declare-flags.ts';
import { overrideOf, usage, valuesIn, wholeNumber } from './flag-values.ts';
import { callFlag, FLAGS, type Flag } from './flags.ts';

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
  /** Null: nothing is forgotten. */
  readonly prune: PruneWords | null;
}

export interface PruneWords {
  readonly days: number;
  readonly dryRun: boolean;
  readonly alsoUnseen: boolean;
}

const LIMIT = 20;

const SERVER_FLAGS = ['database-url', 'ledger-schema', 'connect-timeout-ms'] as const;

const JSON_FLAG = callFlag('json', '', 'Print only the result on stdout, as JSON.');

export const HISTORY_FLAGS: readonly Flag[] = [
  callFlag('table', '[schema.]name', 'Only runs that loaded into this table, or tried to.'),
  callFlag('limit', 'N', 'So many runs, the newest first.', String(LIMIT)),
  callFlag(
    'prune',
    'DAYSd',
    'Forget what is older and of no use: entries of files that are gone or were loaded again, and runs.',
  ),
  callFlag('dry-run', '', 'Only say what --prune would forget.'),
  callFlag(
    'also-unseen',
    '',
    'Let --prune forget files of tables none of whose files is seen from here.',
  ),
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
  ),
  JSON_FLAG,
];

function flagsNamed(names: readonly string[]): Flag[] {
  return FLAGS.filter((flag) => names.includes(flag.name));
}

export function historyFlags(parser: Argv): Argv {
  return declareFlags(
    parser
      .usage('etl history [run] [flags]\n\nRuns, newest first; of a single run its files, too.')
      .positional('run', { describe: 'A run id', defaultDescription: 'all runs' }),
    HISTORY_FLAGS,
  )
    .example('etl history --table app.orders --limit 5', 'The last runs on a table')
    .example('etl history 20261122103502-7f3a1c', 'The files of a run')
    .example('etl history --prune 400d --dry-run', 'What could be forgotten');
}

export function doctorFlags(parser: Argv): Argv {
  return declareFlags(
    parser.usage(
      'etl doctor [flags]\n\nChecks what a load needs, and says what to do. Changes nothing.',
    ),
    DOCTOR_FLAGS,
  )
    .example('etl doctor --database-url postgres://loader@db/shop', 'A server')
    .example('etl doctor --config prod.json', 'And the tables, files and settings of a job');
}

type Words = Readonly<Record<string, unknown>>;

export function historyArguments(words: Words): HistoryArguments {
  const limit = textOf(HISTORY_FLAGS, words, 'limit') ?? String(LIMIT);
  const run = words['run'];
  const runId = typeof run === 'string' ? run : null;
  return {
    ...stateArguments(HISTORY_FLAGS, words),
    ...{ runId, prune: pruneWords(words, runId) },
    table: textOf(HISTORY_FLAGS, words, 'table'),
    limit: wholeNumber('limit', limit, 1, LIMITS.historyRunsMax),
  };
}

function pruneWords(words: Words, runId: string | null): PruneWords | null {
  const age = textOf(HISTORY_FLAGS, words, 'prune');
  const [dryRun, alsoUnseen] = [words['dry-run'] === true, words['also-unseen'] === true];
  if (age === null) {
    if (!dryRun && !alsoUnseen) return null;
    throw usage(
      `--${dryRun ? 'dry-run' : 'also-unseen'} is about what --prune forgets.`,
      'Say how old that is: --prune 400d.',
    );
  }
  const days = /^\d{1,9}d$/.test(age) ? Number(age.slice(0, -1)) : 0;
  if (days < 1 || days > LIMITS.pruneDaysMax) {
    throw usage(
      `--prune: ${JSON.stringify(age)} is no number of days from 1d to ${LIMITS.pruneDaysMax}d.`,
      'For example --prune 400d.',
    );
  }
  if (runId === null) return { days, dryRun, alsoUnseen };
  throw usage('--prune is about all runs, or with --table about one table.', 'Leave the run out.');
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
  const value = valuesIn(flags, words)(name);
  return typeof value === 'string' ? value : null;
}
