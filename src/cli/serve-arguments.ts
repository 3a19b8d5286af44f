import type { Argv } from 'yargs';
import { LIMITS } from '../limits.ts';
import type { Override } from '../job/overlay.ts';
import { declareFlags } from './declare-flags.ts';
import { overrideOf, usage, valuesIn, wholeNumber } from './flag-values.ts';
import { callFlag, FLAGS, type Flag } from './flags.ts';

/** The words of `etl serve`. */
export interface ServeArguments {
  readonly configPath: string;
  readonly overrides: readonly Override[];
  readonly host: string;
  readonly port: number;
  readonly tokenFile: string | null;
  readonly openMetrics: boolean;
  readonly bodyBytesMax: number;
  readonly queueMax: number;
  readonly spool: string;
  readonly spoolBytesMax: number;
  readonly connectionsMax: number;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

const DEFAULTS = {
  host: '127.0.0.1',
  port: '8080',
  'body-limit': '100MB',
  queue: '1000',
  spool: 'spool',
  'spool-limit': '10GB',
  connections: '8',
} as const;

const QUEUE_MAX = 1_000_000;
const PORT_MAX = 65_535;
/** Of the least run, and the one that looks whether the database is there. */
const CONNECTIONS_MIN = 3;

export const SERVE_FLAGS: readonly Flag[] = [
  flag('config', 'PATH', 'Jobs: a file with "jobs", a job file, or a folder of job files.'),
  flag('host', 'ADDRESS', 'Address to listen on; one that others reach needs a token of yours.'),
  flag('port', 'N', 'Port to listen on; 0 for any that is free.'),
  flag('token-file', 'FILE', 'Token that clients must show; else ETL_SERVE_TOKEN, else a new one.'),
  flag('open-metrics', '', 'Answer GET /metrics without a token.'),
  flag('body-limit', 'SIZE', 'Bytes of one request (500kB, 100MB, 2GB).'),
  flag('queue', 'N', 'Uploads of one job that may wait; more are told to come back (429).'),
  flag('spool', 'DIR', 'Folder that keeps uploads until they are loaded.'),
  flag('spool-limit', 'SIZE', 'Bytes that it may hold.'),
  flag('connections', 'N', 'Connections to PostgreSQL, of all jobs together.'),
  ...FLAGS.filter(({ name }) =>
    ['database-url', 'ledger-schema', 'quiet', 'verbose'].includes(name),
  ),
];

function flag(name: string, values: string, description: string): Flag {
  const known: Readonly<Record<string, string>> = DEFAULTS;
  return callFlag(name, values, description, known[name]);
}

/** Declares the flags of `etl serve`. */
export function serveFlags(parser: Argv): Argv {
  parser.usage('etl serve --config PATH [flags]\n\nTakes uploads for named jobs, and loads them.');
  return declareFlags(parser, SERVE_FLAGS)
    .example('etl serve --config jobs.json', 'On this machine, with a token that it prints')
    .example('etl serve --config jobs/ --host 0.0.0.0 --token-file token', 'For others');
}

export function serveArguments(words: Readonly<Record<string, unknown>>): ServeArguments {
  const of = valuesIn(SERVE_FLAGS, words);
  const text = (name: keyof typeof DEFAULTS): string =>
    (of(name) as string | undefined) ?? DEFAULTS[name];
  const configPath = of('config');
  if (typeof configPath !== 'string') {
    throw usage('No jobs are named.', 'Name a file or a folder of jobs with --config.');
  }
  if (of('quiet') === true && of('verbose') === true) {
    throw usage('--quiet and --verbose contradict each other.', 'Leave one of them out.');
  }
  return {
    configPath,
    overrides: SERVE_FLAGS.flatMap((one) => overrideOf(one, words[one.name])),
    host: text('host'),
    port: wholeNumber('port', text('port'), 0, PORT_MAX),
    tokenFile: (of('token-file') as string | undefined) ?? null,
    openMetrics: of('open-metrics') === true,
    bodyBytesMax: size('body-limit', text('body-limit')),
    queueMax: wholeNumber('queue', text('queue'), 1, QUEUE_MAX),
    spool: text('spool'),
    spoolBytesMax: size('spool-limit', text('spool-limit')),
    connectionsMax: wholeNumber(
      'connections',
      text('connections'),
      CONNECTIONS_MIN,
      LIMITS.concurrencyMax,
    ),
    quiet: of('quiet') === true,
    verbose: of('verbose') === true,
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

function size(name: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,12})(?:([kmgt])?b)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN);
  if (digits !== '' && bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw usage(
    `--${name}: ${JSON.stringify(text)} is not a size.`,
    'Write bytes, or 500kB, 100MB, 2GB.',
  );
}
