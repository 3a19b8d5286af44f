import { STRATEGIES, type Strategy } from '../src/job/schema.ts';
import { EtlError } from '../src/errors.ts';
import { didYouMean } from '../src/job/nearest-name.ts';
import { LIMITS } from '../src/limits.ts';
import { PEER_NAMES } from './peers/peer.ts';

export const SUITES = ['quick', 'standard', 'full'] as const;
export type Suite = (typeof SUITES)[number];
/** A number for each suite that has the scenario. */
export type PerSuite = Readonly<Partial<Record<Suite, number>>>;

export const FORMATS = ['csv', 'csv.gz', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** What is loaded, into what, by whom: one file of benchmarks/scenarios. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Rows of all files together. A suite that is not named here leaves the scenario out. */
  readonly rows: PerSuite;
  readonly files: number;
  /** The files take them in turn. */
  readonly formats: readonly Format[];
  /** Columns of the table, those of the key included. */
  readonly width: number;
  readonly keyType: 'bigint' | 'uuid' | 'text' | 'composite';
  /** Whether neighbouring keys lie far apart, as those of a hash do; a uuid's always do. */
  readonly scattered: boolean;
  /** Of the keys inside each file. */
  readonly order: 'sorted' | 'shuffled' | 'reversed';
  /** Share of each file's keys that the other files of its group hold as well. */
  readonly overlap: number;
  /** Files of one group; 0: all files are one group. */
  readonly sharedBy: number;
  /** Keys that are not shared: whether each file has a range of its own, or all span the whole. */
  readonly layout: 'interleaved' | 'ranges';
  /** Above 0, keys are drawn at random, few of them often: the higher, the more uneven. */
  readonly skew: number;
  /** Rows of the table before the load. */
  readonly tableRows: PerSuite;
  /** Share of the files' keys that the table holds before, in whole percents. */
  readonly known: number;
  /** Share of the files' keys whose row the table holds already as it will end. */
  readonly unchanged: number;
  /** Whether the engine finds no table and creates it. */
  readonly fresh: boolean;
  /** Whether each file has a row besides, in its middle, that is bad and put aside. */
  readonly badRow: boolean;
  readonly onConflict: 'update' | 'append';
  readonly strategies: readonly (Strategy | 'auto')[];
  readonly concurrency: readonly number[];
  /** Added to each answer of the server, by a proxy. */
  readonly latencyMs: number;
  /** The other tools that are to load the same where `--peers` asks for them. */
  readonly peers: readonly string[];
  /** Whether `psql \copy` is to copy the same rows as CSV, as a yardstick of staging. */
  readonly copyReference: boolean;
  /** Measured runs, where the suite's number would take too long; 0: as many as the suite says. */
  readonly runsMax: number;
}

/** Throws ETL_USAGE with all problems of the scenario at once. */
export function checkScenario(given: unknown, file: string): Scenario {
  const problems: string[] = [];
  const fields = isRecord(given) ? given : {};
  if (!isRecord(given)) problems.push('it is not an object');
  const unknown = Object.keys(fields).filter((name) => !(name in CHECKS));
  problems.push(
    ...unknown.map((name) => `${name} is not known.${didYouMean(name, Object.keys(CHECKS))}`),
  );
  const values = Object.entries(CHECKS).map(([name, check]) => {
    const value = fields[name] ?? check.fallback;
    if (value === undefined) problems.push(`${name} is missing`);
    else if (!check.test(value)) {
      problems.push(`${name}: ${JSON.stringify(value)} is not ${check.wanted}`);
    }
    return [name, value];
  });
  const scenario = Object.fromEntries(values) as Scenario;
  if (problems.length === 0) problems.push(...contradictions(scenario));
  if (problems.length === 0) return Object.freeze(scenario);
  throw new EtlError(
    'ETL_USAGE',
    'The scenario is not valid:',
    'benchmarks/scenario.ts says what each field means.',
    { file, problems },
  );
}

interface Check {
  readonly wanted: string;
  /** Undefined: the field is required. */
  readonly fallback?: unknown;
  test(value: unknown): boolean;
}

const CHECKS: Readonly<Record<keyof Scenario, Check>> = {
  name: {
    wanted: 'lower-case words joined by dashes',
    test: (value) => typeof value === 'string' && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value),
  },
  description: { wanted: 'a text', test: (value) => typeof value === 'string' && value !== '' },
  rows: perSuite(1),
  files: wholeNumber(1, LIMITS.filesMax),
  formats: listOf(FORMATS, ['csv']),
  width: wholeNumber(2, 64, 8),
  keyType: oneOf(['bigint', 'uuid', 'text', 'composite'], 'bigint'),
  scattered: flag(),
  order: oneOf(['sorted', 'shuffled', 'reversed'], 'sorted'),
  overlap: share(),
  sharedBy: wholeNumber(0, LIMITS.filesMax, 0),
  layout: oneOf(['interleaved', 'ranges'], 'interleaved'),
  skew: wholeNumber(0, 8, 0),
  tableRows: { ...perSuite(0), fallback: {} },
  known: share(),
  unchanged: share(),
  fresh: flag(),
  badRow: flag(),
  onConflict: oneOf(['update', 'append'], 'update'),
  strategies: listOf(['auto', ...STRATEGIES], ['auto']),
  concurrency: {
    wanted: `a list of whole numbers from 1 to ${LIMITS.concurrencyMax}`,
    fallback: [2],
    test: (value) => isList(value, (one) => isWhole(one, 1, LIMITS.concurrencyMax)),
  },
  latencyMs: wholeNumber(0, 1_000, 0),
  peers: listOf(PEER_NAMES, []),
  copyReference: flag(),
  runsMax: wholeNumber(0, LIMITS.benchmarkRunsMax, 0),
};

function contradictions(scenario: Scenario): string[] {
  const { files, sharedBy, skew, overlap, known, unchanged, order, keyType } = scenario;
  const scattered = scenario.scattered || keyType === 'uuid';
  const appends = scenario.onConflict === 'append';
  const found: [boolean, string][] = [
    [sharedBy > 0 && files % sharedBy !== 0, 'sharedBy does not divide the number of files'],
    [skew > 0 && overlap > 0, 'skew draws the keys of all files alike, so overlap cannot be given'],
    [skew > 0 && order !== 'shuffled', 'skew draws keys at random, so order is "shuffled"'],
    [scattered && order !== 'shuffled', 'scattered keys (and uuids) come "shuffled" only'],
    [unchanged > known, 'unchanged is more than known'],
    [!isPercent(known) || !isPercent(unchanged), 'known and unchanged are whole percents'],
    [scenario.fresh && Object.keys(scenario.tableRows).length > 0, 'a fresh table holds no rows'],
    [known > 0 && Object.keys(scenario.tableRows).length === 0, 'known needs tableRows'],
    [
      scenario.badRow && (scenario.peers.length > 0 || scenario.copyReference),
      'other tools do not put a bad row aside',
    ],
    [
      scenario.badRow && scenario.formats.some((format) => format === 'parquet'),
      'a column of Parquet holds no badRow',
    ],
    [appends && scenario.peers.length > 0, 'peers upsert, they do not append'],
    [appends && (overlap > 0 || skew > 0 || known > 0), 'append has no keys that could come again'],
  ];
  return found.filter(([holds]) => holds).map(([, problem]) => problem);
}

function isPercent(part: number): boolean {
  return Math.abs(part * 100 - Math.round(part * 100)) < 1e-9;
}

function perSuite(least: number): Check {
  const most = LIMITS.benchmarkRowsMax;
  return {
    wanted: `whole numbers from ${least} to ${most} by suite (${SUITES.join(', ')})`,
    test: (value) =>
      isRecord(value) &&
      Object.entries(value).every(
        ([suite, rows]) => SUITES.some((name) => name === suite) && isWhole(rows, least, most),
      ),
  };
}

function wholeNumber(least: number, most: number, fallback?: number): Check {
  const test = (value: unknown): boolean => isWhole(value, least, most);
  return { wanted: `a whole number from ${least} to ${most}`, fallback, test };
}

function share(): Check {
  const test = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;
  return { wanted: 'a number from 0 to 1', fallback: 0, test };
}

function flag(): Check {
  return { wanted: 'true or false', fallback: false, test: (value) => typeof value === 'boolean' };
}

function oneOf(names: readonly string[], fallback: string): Check {
  return { wanted: `one of ${names.join(', ')}`, fallback, test: (value) => isOneOf(names, value) };
}

function listOf(names: readonly string[], fallback: readonly string[]): Check {
  const test = (value: unknown): boolean =>
    isList(value, (one) => isOneOf(names, one), Math.min(1, fallback.length));
  return { wanted: `a list of ${names.join(', ')}`, fallback, test };
}

function isOneOf(names: readonly string[], value: unknown): boolean {
  return names.some((name) => name === value);
}

function isList(value: unknown, test: (one: unknown) => boolean, least = 1): boolean {
  return Array.isArray(value) && value.length >= least && value.every(test);
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
