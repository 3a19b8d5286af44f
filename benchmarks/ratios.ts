import { present } from '../src/assert.ts';
import { COPY_REFERENCE } from './contenders/copy-reference.ts';
import { mediansOf, type CaseMedians } from './medians.ts';
import type { BenchmarkCase, Ratio } from './results.ts';

/** The name that benchmarks/peers gives it. */
const PSQL_SCRIPT = 'psql script';

/** Below, starting a process decides; what takes longest to answer decides where the server is far. */
const ROWS_MIN = 500_000;
const FAR_AWAY = 'sixteen-files-far-away';

type Find = (scenario: string, contender?: string) => BenchmarkCase | null;

/**
 * What the issue of speed asks for, of whatever cases were run: each ratio stands where both of its
 * sides have results that were right, and is missing otherwise.
 */
export function ratiosOf(cases: readonly BenchmarkCase[]): Ratio[] {
  const usable = cases.filter((one) => isMeasured(one) && isRight(one) && isLarge(one));
  // At the lowest concurrency of a scenario, which is the same for all that are compared.
  const find: Find = (scenario, contender = 'etl') =>
    usable
      .filter((one) => one.scenario === scenario && one.contender === contender)
      .filter((one) => contender !== 'etl' || one.strategy === 'auto')
      .toSorted((a, b) => (a.concurrency ?? 0) - (b.concurrency ?? 0))[0] ?? null;
  return [
    ...bytesPath(find),
    ...againstScript(find),
    ...amongScenarios(find),
    ...memory(find),
    ...speedOfPeers(usable, find),
    ...growth(find),
    ...concurrency(usable),
    ...choice(usable),
  ];
}

function isMeasured({ runs }: BenchmarkCase): boolean {
  return runs.some((run) => !run.warmUp);
}

/** Of other tools, only some get all rows. */
function isLarge({ rows, scenario, strategy }: BenchmarkCase): boolean {
  return strategy === null || rows >= ROWS_MIN || scenario === FAR_AWAY;
}

function isRight(one: BenchmarkCase): boolean {
  return one.runs.every((run) => run.correct);
}

function bytesPath(find: Find): Ratio[] {
  const csv = find('one-large-file') ?? find('six-files-distinct');
  const cpuMs = csv === null ? null : mediansOf(csv).clientCpuMs;
  const seconds =
    csv === null || cpuMs === null
      ? []
      : [
          ratio(
            `${csv.scenario}: seconds per GB of CSV`,
            'client CPU',
            (cpuMs / csv.bytes) * 1e6,
            3,
          ),
        ];
  const [parquet, copied] = [find('stage-parquet'), find('stage-parquet', COPY_REFERENCE)];
  const name = 'Parquet staged, against the same rows as CSV by psql \\copy';
  return [...seconds, ...compared(name, 'total CPU', parquet, copied, 0.9)];
}

function againstScript(find: Find): Ratio[] {
  const rows: readonly (readonly [string, string, number])[] = [
    ['six-files-distinct', 'six files, no overlap', 0.85],
    ['six-files-same-keys', 'six files, all keys the same', 0.3],
    ['fresh-table', 'a fresh table', 0.4],
  ];
  return rows.flatMap(([scenario, what, reach]) =>
    (['wall', 'total CPU'] as const).flatMap((metric) =>
      compared(
        `${what}, against the psql script`,
        metric,
        find(scenario),
        find(scenario, PSQL_SCRIPT),
        reach,
      ),
    ),
  );
}

function amongScenarios(find: Find): Ratio[] {
  const again = find('repeated-unchanged');
  const first = find('six-files-distinct');
  return [
    ...compared('the same rows again, against their first load', 'wall', again, first, 0.5),
    // What remains is the ledger's.
    ...compared('the same rows again, against their first load', 'WAL', again, first, 0.01),
    ...compared(
      'one large file, against the same rows in eight',
      'wall',
      find('one-large-file'),
      find('eight-files'),
      1.15,
    ),
    ...compared(
      '10,000 files of 100 rows, against one of a million',
      'wall',
      find('many-small-files'),
      find('one-file-of-a-million'),
      3,
    ),
  ];
}

const RSS_GOALS: readonly (readonly [string, number])[] = [
  ['rss-100mb', 250e6],
  ['rss-1gb', 250e6],
  ['rss-4gb', 250e6],
  ['rss-parquet-100mb', 600e6],
  ['rss-parquet-1gb', 600e6],
];

function memory(find: Find): Ratio[] {
  return RSS_GOALS.flatMap(([scenario, goal]) => {
    const found = find(scenario);
    const bytes = found === null ? null : mediansOf(found).rssPeakBytes;
    if (bytes === null) return [];
    return [ratio(`${scenario}: of ${goal / 1e6} MB`, 'peak RSS', bytes / goal, 1)];
  });
}

/** How many times as fast as each the engine is to be, by row: some get fewer rows. */
const PEER_GOALS: Readonly<Record<string, number>> = {
  pgloader: 6,
  'psycopg2 execute_values': 4,
  'row by row': 60,
};

function speedOfPeers(cases: readonly BenchmarkCase[], find: Find): Ratio[] {
  return cases.flatMap((peer) => {
    const own = find(peer.scenario);
    if (peer.strategy !== null || peer.contender === COPY_REFERENCE || own === null) return [];
    const goal = PEER_GOALS[peer.contender];
    const value = quotient(perRow(own, 'wallMs'), perRow(peer, 'wallMs'));
    const name = `${peer.scenario}: time per row, against ${peer.contender}`;
    return value === null ? [] : [ratio(name, 'wall', value, goal === undefined ? null : 1 / goal)];
  });
}

/** No more than the depth of an index of as many keys grows. */
function growth(find: Find): Ratio[] {
  const sizes = ['cost-1m', 'cost-10m', 'cost-100m'].flatMap((name) => find(name) ?? []);
  const [small, ...larger] = sizes;
  if (small === undefined) return [];
  return larger.flatMap((large) => {
    const value = quotient(perRow(large, 'totalCpuMs'), perRow(small, 'totalCpuMs'));
    const reach = Math.log(large.rows) / Math.log(small.rows);
    const name = `${large.rows / 1e6} million rows, per row, against ${small.rows / 1e6} million`;
    return value === null ? [] : [ratio(name, 'total CPU', value, reach)];
  });
}

/** CPU stays flat; where the server is far away, the time falls. */
function concurrency(cases: readonly BenchmarkCase[]): Ratio[] {
  return ['sixteen-files', FAR_AWAY].flatMap((scenario) => {
    const own = cases
      .filter((one) => one.scenario === scenario && one.strategy === 'auto')
      .toSorted((a, b) => (a.concurrency ?? 0) - (b.concurrency ?? 0));
    const [one, ...more] = own;
    if (one === undefined) return [];
    const far = scenario === FAR_AWAY;
    return more.flatMap((many) => {
      const name = `${scenario}: concurrency ${many.concurrency ?? 0}, against ${one.concurrency ?? 0}`;
      return compared(name, far ? 'wall' : 'total CPU', many, one, far ? 1 : 1.1);
    });
  });
}

/** Of each scenario and concurrency: what auto chose, against the best that could be asked for. */
function choice(cases: readonly BenchmarkCase[]): Ratio[] {
  return cases.flatMap((auto) => {
    if (auto.strategy !== 'auto') return [];
    const others = cases.filter(
      (one) =>
        one.scenario === auto.scenario &&
        one.concurrency === auto.concurrency &&
        one.strategy !== null &&
        one !== auto,
    );
    if (others.length === 0) return [];
    const best = others.reduce((a, b) => (wallOf(b) < wallOf(a) ? b : a));
    const name = `${auto.scenario}: auto (${auto.chosen ?? '?'}), against ${best.strategy ?? '?'}`;
    return compared(`${name} at x${auto.concurrency ?? 0}`, 'wall', auto, best, 1.1);
  });
}

function wallOf(one: BenchmarkCase): number {
  return present(mediansOf(one).wallMs, 'a measured run');
}

const MEDIAN_OF = {
  wall: 'wallMs',
  'client CPU': 'clientCpuMs',
  'total CPU': 'totalCpuMs',
  'peak RSS': 'rssPeakBytes',
  WAL: 'walBytes',
} as const satisfies Record<Ratio['metric'], keyof CaseMedians>;

function compared(
  name: string,
  metric: Ratio['metric'],
  one: BenchmarkCase | null,
  other: BenchmarkCase | null,
  reach: number | null,
): Ratio[] {
  if (one === null || other === null) return [];
  const measure = MEDIAN_OF[metric];
  const value = quotient(mediansOf(one)[measure], mediansOf(other)[measure]);
  return value === null ? [] : [ratio(name, metric, value, reach)];
}

function perRow(one: BenchmarkCase, measure: keyof CaseMedians): number | null {
  const value = mediansOf(one)[measure];
  return value === null ? null : value / one.rows;
}

function quotient(one: number | null, other: number | null): number | null {
  return one === null || other === null || other === 0 ? null : one / other;
}

function ratio(name: string, metric: Ratio['metric'], value: number, reach: number | null): Ratio {
  return { name, metric, value, reach };
}
