import { describe, expect, test } from 'vitest';
import { parseTimes, serverCpuMs } from '../../../benchmarks/measure/server-cpu.ts';
import { median, mediansOf } from '../../../benchmarks/medians.ts';
import { ratiosOf } from '../../../benchmarks/ratios.ts';
import type { BenchmarkCase, RunMeasurement } from '../../../benchmarks/results.ts';
import { createTimeline } from '../../../benchmarks/timeline.ts';
import { LIMITS } from '../../../src/limits.ts';

const run: RunMeasurement = {
  warmUp: false,
  wallMs: 1_000,
  clientCpuMs: 200,
  serverCpuMs: 800,
  rssPeakBytes: 100e6,
  connectionsPeak: 3,
  walBytes: 1_000,
  lockWaits: 0,
  correct: true,
  digest: '1',
  predicted: {},
  timeline: [],
};

function etl(scenario: string, fields: Partial<RunMeasurement>, more = {}): BenchmarkCase {
  return {
    scenario,
    contender: 'etl',
    strategy: 'auto',
    chosen: 'hybrid',
    concurrency: 2,
    rows: 1_000_000,
    bytes: 100e6,
    runs: [{ ...run, ...fields }],
    skipped: null,
    ...more,
  };
}

function peer(scenario: string, contender: string, fields: Partial<RunMeasurement>, more = {}) {
  return etl(scenario, fields, { contender, strategy: null, chosen: null, ...more });
}

function valueOf(cases: BenchmarkCase[], name: string, metric = 'wall') {
  const found = ratiosOf(cases).filter((one) => one.name.includes(name) && one.metric === metric);
  return found.map(({ value, reach }) => [Number(value.toFixed(3)), reach]);
}

describe('medians', () => {
  test('are of the measured runs alone', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNull();
    expect(median([1, null])).toBeNull();
    const runs = [{ ...run, warmUp: true, wallMs: 9_000 }, run, { ...run, wallMs: 2_000 }];
    expect(mediansOf({ runs })).toMatchObject({ wallMs: 1_500, totalCpuMs: 1_000 });
    expect(mediansOf({ runs: [{ ...run, serverCpuMs: null }] }).totalCpuMs).toBeNull();
  });
});

describe('ratios', () => {
  test('need both sides, right ones', () => {
    const own = etl('six-files-distinct', { wallMs: 800 });
    const script = peer('six-files-distinct', 'psql script', {});
    const name = 'six files, no overlap';
    expect(valueOf([own], name)).toEqual([]);
    expect(valueOf([own, script], name)).toEqual([[0.8, 0.85]]);
    expect(valueOf([own, script], name, 'total CPU')).toEqual([[1, 0.85]]);
    const wrong = { ...script, runs: [{ ...run, correct: false }] };
    expect(valueOf([own, wrong], name)).toEqual([]);
    const warm = { ...script, runs: [{ ...run, warmUp: true }] };
    expect(valueOf([own, warm], name)).toEqual([]);
    const remote = etl('six-files-distinct', { wallMs: 800, serverCpuMs: null });
    expect(valueOf([remote, script], name, 'total CPU')).toEqual([]);
  });

  test('say nothing of loads that are mostly the start of a process', () => {
    const small = { rows: 60_000 };
    const cases = [
      etl('six-files-distinct', {}, small),
      peer('six-files-distinct', 'psql script', {}, small),
    ];
    expect(ratiosOf(cases)).toEqual([]);
  });

  test('are by GB, by row, or across scenarios', () => {
    const gigabyte = etl('one-large-file', { clientCpuMs: 2_500 }, { bytes: 1e9 });
    expect(valueOf([gigabyte], 'per GB', 'client CPU')).toEqual([[2.5, 3]]);
    // Of a small load, most is the start of the process: told, and no goal.
    const small = etl('one-large-file', { clientCpuMs: 1_000 });
    expect(valueOf([small], 'per GB', 'client CPU')).toEqual([[10, null]]);
    const large4 = etl('rss-4gb', { clientCpuMs: 8_000 }, { bytes: 4e9 });
    expect(valueOf([gigabyte, large4], 'per GB', 'client CPU')).toEqual([[2, 3]]);
    const again = [
      etl('repeated-unchanged', { wallMs: 400, walBytes: 5 }),
      etl('six-files-distinct', {}),
    ];
    expect(valueOf(again, 'again')).toEqual([[0.4, 0.5]]);
    expect(valueOf(again, 'again', 'WAL')).toEqual([[0.005, 0.01]]);
    const slow = (scenario: string) =>
      peer(scenario, 'row by row', { wallMs: 100 }, { rows: 1_000 });
    const distinct = 'six-files-distinct';
    expect(valueOf([etl(distinct, {}), slow(distinct)], 'row by row')).toEqual([[0.01, 1 / 60]]);
    expect(valueOf([etl('fresh-table', {}), slow('fresh-table')], 'row by row')).toEqual([
      [0.01, null],
    ]);
    const other = peer('fresh-table', 'pandas to_sql', {}, { rows: 1_000 });
    expect(valueOf([etl('fresh-table', {}), other], 'pandas')).toEqual([[0.001, null]]);
    const large = [
      etl('cost-1m', {}),
      etl('cost-10m', { clientCpuMs: 2_000, serverCpuMs: 9_000 }, { rows: 10_000_000 }),
    ];
    const [[value, reach] = []] = valueOf(large, 'million rows', 'total CPU');
    expect(value).toBe(1.1);
    expect(reach).toBeCloseTo(7 / 6);
  });

  test('hold the memory against its limit', () => {
    expect(valueOf([etl('rss-1gb', { rssPeakBytes: 200e6 })], 'rss-1gb', 'peak RSS')).toEqual([
      [0.8, 1],
    ]);
    const flat = [
      etl('rss-4gb', { rssPeakBytes: 220e6 }),
      etl('rss-100mb', { rssPeakBytes: 200e6 }),
    ];
    expect(valueOf(flat, 'rss-4gb, against rss-100mb', 'peak RSS')).toEqual([[1.1, 1.25]]);
  });

  test('compare auto with the best that could be asked for', () => {
    const cases = [
      etl('skewed', { wallMs: 1_200 }),
      etl('skewed', { wallMs: 1_000 }, { strategy: 'partitioned' }),
      etl('skewed', { wallMs: 3_000 }, { strategy: 'sequential' }),
      etl('skewed', { wallMs: 1 }, { strategy: 'hybrid', concurrency: 8 }),
    ];
    expect(valueOf(cases, 'auto (hybrid), against partitioned at x2')).toEqual([[1.2, 1.1]]);
    expect(valueOf(cases.slice(0, 1), 'auto')).toEqual([]);
  });

  test('show what concurrency does', () => {
    const near = [1, 4, 16].map((concurrency) => etl('sixteen-files', {}, { concurrency }));
    expect(valueOf(near, 'sixteen-files: concurrency', 'total CPU')).toEqual([
      [1, 1.1],
      [1, 1.1],
    ]);
    expect(valueOf(near, 'waits for locks', 'lock waits')).toEqual([[0, 0]]);
    const waiting = near.map((one) => ({ ...one, runs: [{ ...run, lockWaits: 2 }] }));
    expect(valueOf(waiting, 'waits for locks', 'lock waits')).toEqual([[2, 0]]);
    const far = [1, 8].map((concurrency) =>
      etl('small-files-far-away', { wallMs: 8_000 / concurrency }, { concurrency, rows: 9 }),
    );
    expect(valueOf(far, 'concurrency 8, against 1')).toEqual([[0.125, 1]]);
  });
});

describe('the timeline', () => {
  const event = (kind: 'file-staged' | 'file-merging', file = 0) => ({
    kind,
    load: 0,
    file,
    rows: 1,
  });
  const started = (file = 0) => ({ kind: 'file-started', load: 0, file, attempt: 1 }) as const;
  const finished = { kind: 'file-finished', load: 0, file: 0, report: {} as never } as const;

  test('tells staging, waiting and merging apart', () => {
    const timeline = createTimeline((_, file) => `f${file}`);
    timeline.on(started(), 10);
    timeline.on(started(1), 12);
    timeline.on(event('file-staged'), 20);
    timeline.on({ kind: 'file-waiting', load: 0, file: 0, forFile: 1 }, 21);
    timeline.on(event('file-merging'), 35);
    timeline.on(finished, 50.06);
    expect(timeline.spans).toEqual([
      { file: 'f0', phase: 'stage', fromMs: 10, toMs: 20 },
      { file: 'f0', phase: 'wait', fromMs: 20, toMs: 35 },
      { file: 'f0', phase: 'merge', fromMs: 35, toMs: 50.1 },
    ]);
  });

  test('leaves out waits that are none, and what is beyond its limit', () => {
    const timeline = createTimeline(() => 'f');
    timeline.on(started(), 0);
    timeline.on(event('file-staged'), 5);
    timeline.on(event('file-merging'), 5.4);
    expect(timeline.spans.map((span) => span.phase)).toEqual(['stage']);
    for (let time = 0; time < LIMITS.benchmarkSpansMax; time++) {
      timeline.on(started(), time);
      timeline.on(finished, time);
    }
    expect(timeline.spans).toHaveLength(LIMITS.benchmarkSpansMax);
  });
});

test('what a backend used that ends while it is looked at counts once', async () => {
  const postmaster = process.ppid;
  const backend = process.pid;
  const none = { parent: 1, ownMs: 7, endedChildrenMs: 0 };
  let looks = 0;
  const measured = await serverCpuMs(postmaster, (pid) => {
    if (pid === backend) {
      const works = looks < 3;
      return Promise.resolve(works ? { ...none, pid, parent: postmaster, ownMs: 5_000 } : null);
    }
    if (pid !== postmaster) return Promise.resolve({ ...none, pid });
    // Before the backend has ended, and afterwards.
    looks += 1;
    return Promise.resolve({ ...none, pid, ownMs: 20, endedChildrenMs: looks === 1 ? 300 : 5_300 });
  });
  expect(measured).toBe(5_320);
  await expect(serverCpuMs(postmaster, () => Promise.resolve(null))).resolves.toBe(0);
});

test("a process's times are read past a name with brackets and spaces", () => {
  const fields = ['S', 41, 1, 1, 0, -1, 0, 0, 0, 0, 0, 150, 25, 700, 80, 20, 0, 1];
  expect(parseTimes(`1234 (postgres: x) (y) ${fields.join(' ')}`)).toEqual({
    pid: 1234,
    parent: 41,
    ownMs: 1_750,
    endedChildrenMs: 7_800,
  });
});
