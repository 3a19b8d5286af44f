import { present } from '../src/assert.ts';
import { COPY_REFERENCE } from './contenders/copy-reference.ts';
import { mediansOf, type CaseMedians } from './medians.ts';
import type { GoalId } from './goals.ts';
import type { BenchmarkCase, Ratio } from './results.ts';

/** The name that benchmarks/peers gives it. */
const PSQL_SCRIPT = 'psql script';

/** Below, starting a process decides; what takes longest to answer decides where the server is far. */
const ROWS_MIN = 500_000;
const FAR_AWAY = 'small-files-far-away';

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

/** Of the largest load of plain CSV: the start of the process is most of what a small one takes. */
const CSV_SCENARIOS = ['rss-4gb', 'rss-1gb', 'one-large-file', 'six-files-distinct'] as const;
/** The goal is of a GB; below half of one it says nothing. */
const GOAL_BYTES_MIN = 0.5e9;

function bytesPath(find: Find): Ratio[] {
  const [csv] = CSV_SCENARIOS.flatMap((name) => find(name) ?? []);
  const cpuMs = csv === undefined ? null : mediansOf(csv).clientCpuMs;
  const [parquet, copied] = [find('stage-parquet'), find('stage-parquet', COPY_REFERENCE)];
  const name = 'Parquet staged, against the same rows as CSV by psql \\copy';
  const staged = compared('parquet', name, 'total CPU', parquet, copied, 0.9);
  if (csv === undefined || cpuMs === null) return staged;
  const reach = csv.bytes >= GOAL_BYTES_MIN ? 3 : null;
  const perGb = (cpuMs / csv.bytes) * 1e6;
  const seconds = `${csv.scenario}: seconds per GB of CSV`;
  return [ratio('bytes', seconds, 'client CPU', perGb, reach), ...staged];
}

function againstScript(find: Find): Ratio[] {
  const rows: readonly (readonly [GoalId, string, string, number])[] = [
    ['distinct', 'six-files-distinct', 'six files, no overlap', 0.85],
    ['same-keys', 'six-files-same-keys', 'six files, all keys the same', 0.3],
    ['fresh', 'fresh-table', 'a fresh table', 0.4],
  ];
  return rows.flatMap(([goal, scenario, what, reach]) =>
    (['wall', 'total CPU'] as const).flatMap((metric) =>
      compared(
        goal,
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
  const repeated = 'the same rows again, against their first load';
  const large = 'one large file, against the same rows in eight';
  const small = '10,000 files of 100 rows, against one of a million';
  const [one, eight] = [find('one-large-file'), find('eight-files')];
  const [many, million] = [find('many-small-files'), find('one-file-of-a-million')];
  return [
    ...compared('unchanged', repeated, 'wall', again, first, 0.5),
    // What remains is the ledger's.
    ...compared('unchanged', repeated, 'WAL', again, first, 0.01),
    ...compared('large-file', large, 'wall', one, eight, 1.15),
    ...compared('small-files', small, 'wall', many, million, 3),
    ...badRow('copied directly', find('one-bad-row'), million),
    ...badRow('staged', find('one-bad-row-shuffled'), find('one-file-shuffled')),
  ];
}

function badRow(way: string, bad: BenchmarkCase | null, clean: BenchmarkCase | null): Ratio[] {
  const name = `one bad row among a million, ${way}, against none`;
  return compared('bad-row', name, 'total CPU', bad, clean, 2);
}

const RSS_GOALS: readonly (readonly [string, number])[] = [
  ['rss-100mb', 250e6],
  ['rss-1gb', 250e6],
  ['rss-4gb', 250e6],
  ['rss-parquet-100mb', 600e6],
  ['rss-parquet-1gb', 600e6],
];

/** What a file of ten or forty times the bytes may take more, where memory is called flat. */
const FLAT = 1.25;

function memory(find: Find): Ratio[] {
  const under = RSS_GOALS.flatMap(([scenario, goal]) => {
    const bytes = rssOf(find(scenario));
    if (bytes === null) return [];
    return [ratio('memory', `${scenario}: of ${goal / 1e6} MB`, 'peak RSS', bytes / goal, 1)];
  });
  const flat = [
    ['rss-4gb', 'rss-100mb'] as const,
    ['rss-parquet-1gb', 'rss-parquet-100mb'] as const,
  ];
  return [
    ...under,
    ...flat.flatMap(([large, small]) =>
      compared('memory', `${large}, against ${small}`, 'peak RSS', find(large), find(small), FLAT),
    ),
  ];
}

function rssOf(found: BenchmarkCase | null): number | null {
  return found === null ? null : mediansOf(found).rssPeakBytes;
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
    if (value === null) return [];
    // The goal is of an upsert without conflicts, the work that suits the others best.
    return peer.scenario === 'six-files-distinct' && goal !== undefined
      ? [ratio('peers', name, 'wall', value, 1 / goal)]
      : [ratio(null, name, 'wall', value, null)];
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
    return value === null ? [] : [ratio('growth', name, 'total CPU', value, reach)];
  });
}

/** CPU stays flat, and nobody waits for a lock; where the server is far away, the time falls. */
function concurrency(cases: readonly BenchmarkCase[]): Ratio[] {
  return ['sixteen-files', FAR_AWAY].flatMap((scenario) => {
    const own = cases
      .filter((one) => one.scenario === scenario && one.strategy === 'auto')
      .toSorted((a, b) => (a.concurrency ?? 0) - (b.concurrency ?? 0));
    const [one, ...more] = own;
    if (one === undefined) return [];
    const ratios = more.flatMap((many) => {
      const name = `${scenario}: concurrency ${many.concurrency ?? 0}, against ${one.concurrency ?? 0}`;
      return scenario === FAR_AWAY
        ? compared('far-away', name, 'wall', many, one, 1)
        : compared('workers', name, 'total CPU', many, one, 1.1);
    });
    return scenario === FAR_AWAY ? ratios : [...ratios, ...lockWaits(more)];
  });
}

function lockWaits(cases: readonly BenchmarkCase[]): Ratio[] {
  const counts = cases.map((one) => mediansOf(one).lockWaits);
  const known = counts.filter((count) => count !== null);
  if (known.length === 0 || known.length < counts.length) return [];
  const most = Math.max(...known);
  return [ratio('workers', 'sixteen-files: waits for locks seen, at most', 'lock waits', most, 0)];
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
    return compared('choice', `${name} at x${auto.concurrency ?? 0}`, 'wall', auto, best, 1.1);
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
  'lock waits': 'lockWaits',
} as const satisfies Record<Ratio['metric'], keyof CaseMedians>;

function compared(
  goal: GoalId,
  name: string,
  metric: Ratio['metric'],
  one: BenchmarkCase | null,
  other: BenchmarkCase | null,
  reach: number | null,
): Ratio[] {
  if (one === null || other === null) return [];
  const measure = MEDIAN_OF[metric];
  const value = quotient(mediansOf(one)[measure], mediansOf(other)[measure]);
  return value === null ? [] : [ratio(goal, name, metric, value, reach)];
}

function perRow(one: BenchmarkCase, measure: keyof CaseMedians): number | null {
  const value = mediansOf(one)[measure];
  return value === null ? null : value / one.rows;
}

function quotient(one: number | null, other: number | null): number | null {
  return one === null || other === null || other === 0 ? null : one / other;
}

function ratio(
  goal: GoalId,
  name: string,
  metric: Ratio['metric'],
  value: number,
  reach: number | null,
): Ratio {
  return { name, metric, goal, value, reach };
}
