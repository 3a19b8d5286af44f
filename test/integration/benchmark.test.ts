import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { COPY_REFERENCE } from '../../benchmarks/contenders/copy-reference.ts';
import { benchmarkText } from '../../benchmarks/benchmark-text.ts';
import type { Peer, PeerJob, UnavailablePeer } from '../../benchmarks/peers/peers.ts';
import type { BenchmarkCase, BenchmarkResults } from '../../benchmarks/results.ts';
import {
  runBenchmark,
  type BenchmarkEnd,
  type BenchmarkOptions,
} from '../../benchmarks/run-benchmark.ts';
import { checkScenario, type Scenario } from '../../benchmarks/scenario.ts';
import { EtlError } from '../../src/errors.ts';
import { LIMITS } from '../../src/limits.ts';
import { pageFor } from '../../src/report/page.ts';
import { connect, type Connection } from '../../src/target/connect.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { etl } from '../support/etl.ts';

const TINY = {
  name: 'tiny',
  description: 'Three files; half of the keys of each are in all of them.',
  rows: { quick: 600 },
  files: 3,
  overlap: 0.5,
};

describe('etl benchmark', () => {
  let db: TestDatabase;
  let progress: Parameters<BenchmarkOptions['onProgress']>[0][];

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  beforeEach(() => {
    progress = [];
  });
  afterAll(async () => {
    await expectNoLeaks(db.url);
    await db.drop();
  });

  it('measures each contender and checks its table', async () => {
    const { results, failures } = await benchmark({ strategies: ['auto', 'partitioned'] });
    expect(failures).toEqual([]);
    expect(results.version).toBe(1);
    expect(results.certificate).toMatchObject({ suite: 'quick', seed: 5, etl: '1.2.3' });
    expect(results.certificate.server.settings).toHaveProperty('shared_buffers');
    expect(results.certificate.server.version).toMatch(/^\d+/);
    expect(results.cases.map((one) => [one.contender, one.strategy, one.concurrency])).toEqual([
      ['etl', 'auto', 2],
      ['etl', 'partitioned', 2],
    ]);
    for (const one of results.cases) {
      expectMeasured(one);
      expect(one.runs.map((run) => run.warmUp)).toEqual([true, false]);
    }
    // By turns, so that whatever slows down the machine slows down both.
    const turns = progress.flatMap((one) =>
      one.kind === 'run' ? [`${one.contender.strategy ?? ''} ${one.round}`] : [],
    );
    expect(turns).toEqual(['auto 0', 'partitioned 0', 'auto 1', 'partitioned 1']);
    expect(new Set(results.cases.flatMap((one) => one.runs.map((run) => run.digest))).size).toBe(1);
    expect(await schemas()).toEqual([]);
  });

  it('lets the engine create the table where it is fresh', async () => {
    const scenario = { fresh: true, formats: ['parquet', 'csv.gz'] };
    const { results, failures } = await benchmark(scenario, { runs: 0 });
    expect(failures).toEqual([]);
    expectMeasured(results.cases[0]);
  });

  it('knows what an append must leave, and what a table held before', async () => {
    const append = { onConflict: 'append', overlap: 0 };
    const appended = await benchmark(append, { runs: 0 });
    expect(appended.failures).toEqual([]);
    expect(appended.results.cases[0]?.runs[0]?.digest).toMatch(/^600 rows/);
    // 400 keys, of which the table holds 300 among its 900 rows.
    const known = { tableRows: { quick: 900 }, known: 0.75, unchanged: 0.5 };
    const again = await benchmark(known, { runs: 0 });
    expect(again.failures).toEqual([]);
    expect(again.results.cases[0]?.runs[0]?.digest).toMatch(/^1000 rows/);
  });

  it('shows a wrong table as wrong, and says so', async () => {
    const { results, failures } = await peers([copies('first file only', 1), copies('right', 3)]);
    const [wrong, right] = results.cases;
    expect(wrong?.runs.map((run) => run.correct)).toEqual([false, false]);
    expect(right?.runs.map((run) => run.correct)).toEqual([true, true]);
    expect(failures).toEqual(['tiny, first file only: the table was wrong after 2 of 2 runs']);
    const text = benchmarkText(results, pageFor({ color: false, width: 120 }));
    expect(text).toMatch(/first file only .*WRONG \(2 of 2\)/);
    expect(text).toMatch(/right .*ok/);
  });

  it('expects nothing of who promises nothing', async () => {
    const { results, failures } = await peers([{ ...copies('careless', 1), deterministic: false }]);
    expect(results.cases[0]?.runs[0]?.correct).toBe(false);
    expect(failures).toEqual([]);
  });

  it('gives a slow peer fewer rows, and checks those', async () => {
    const { results, failures } = await peers([{ ...copies('slow', 3), maxRows: 90 }]);
    expect(failures).toEqual([]);
    expect(results.cases[0]).toMatchObject({ rows: 90, skipped: null });
    expect(results.cases[0]?.runs[0]?.digest).toMatch(/^60 rows/);
    expect(results.cases[0]?.runs.every((run) => run.correct)).toBe(true);
  });

  it('goes on without a peer that fails or is not there', async () => {
    const broken = does('broken', async () => {
      throw new EtlError('ETL_PEER', 'It broke.', '');
    });
    const absent = [{ name: 'absent', why: 'absent is not installed' }];
    const { results, failures } = await peers([broken, copies('right', 3)], { absent });
    expect(results.cases.map((one) => [one.contender, one.skipped, one.runs.length])).toEqual([
      ['broken', 'It broke.', 0],
      ['right', null, 2],
      ['absent', 'absent is not installed', 0],
    ]);
    expect(failures).toEqual([]);
  });

  it('sees the sessions that wait for a lock', async () => {
    const waiting = does('waiting', async ({ databaseUrl, table }) => {
      const [holder, waiter] = [await sessionOf(databaseUrl), await sessionOf(databaseUrl)];
      // Inside of a transaction the sessions would look the same for ever.
      const watcher = await sessionOf(databaseUrl);
      await holder.query(`begin; lock table ${table}`);
      const waited = waiter.query(`select from ${table}`);
      await untilWaiting(watcher);
      // Long enough for a look.
      await sleep(4 * LIMITS.benchmarkSampleIntervalMs);
      await holder.query('rollback');
      await waited;
      await Promise.all([holder.end(), waiter.end(), watcher.end()]);
    });
    const { results } = await peers([waiting]);
    const [run] = results.cases[0]?.runs ?? [];
    expect(run?.lockWaits).toBeGreaterThan(0);
    expect(run?.connectionsPeak).toBe(3);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const interrupt = new AbortController();
    const during = does('during', async () => interrupt.abort(new Error('stop')));
    await expect(peers([during], { signal: interrupt.signal })).rejects.toThrow('stop');
    expect(await schemas()).toEqual([]);
  });

  it('puts a server far away', async () => {
    const urls: string[] = [];
    const asks = does('asks', async ({ databaseUrl }) => {
      urls.push(databaseUrl);
      const connection = await sessionOf(databaseUrl);
      const [row] = await connection.query(`select repeat('x', 300000) as text`);
      expect(String(row?.['text'])).toHaveLength(300_000);
      await connection.end();
    });
    const { results } = await peers([asks], { latencyMs: 40 });
    expect(urls[0]).not.toBe(db.url);
    // To connect and to ask are three round trips at least; timers do not end before their time.
    expect(results.cases[0]?.runs[0]?.wallMs).toBeGreaterThan(119);
    const folder = new URLSearchParams(urls[0]?.split('?')[1]).get('host') ?? '/';
    await expect(access(folder)).rejects.toThrow('ENOENT');
  });

  it('is a command that leaves its results in a folder', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'etl-benchmark-command-'));
    const words = `benchmark --scenario stage-parquet --runs 1 --json --database-url ${db.url}`;
    const end = await etl([...words.split(' '), '--output', 'results'], { cwd });
    expect(end.code, end.stderr).toBe(0);
    const results = JSON.parse(end.stdout) as BenchmarkResults;
    expect(results.cases.map((one) => one.contender)).toEqual(['etl', COPY_REFERENCE]);
    expect(results.cases.every((one) => one.runs.every((run) => run.correct))).toBe(true);
    expect(JSON.parse(await readFile(join(cwd, 'results/results.json'), 'utf8'))).toEqual(results);
    expect(await readFile(join(cwd, 'results/index.html'), 'utf8')).toContain('stage-parquet');
    expect(end.stderr).toContain('table ok');
    await rm(cwd, { recursive: true });
  });

  /** A scenario that only other tools load. */
  function peers(
    available: readonly Peer[],
    more: { absent?: UnavailablePeer[]; signal?: AbortSignal; latencyMs?: number } = {},
  ): Promise<BenchmarkEnd> {
    const { absent = [], latencyMs = 0, ...options } = more;
    const nobody = { latencyMs, strategies: ['auto'] };
    const names = [...available, ...absent].map(({ name }) => name);
    return benchmark(nobody, {
      ...options,
      names,
      peers: { available, unavailable: absent },
      etl: false,
    });
  }

  async function benchmark(
    fields: Partial<Record<keyof Scenario, unknown>>,
    options: Partial<BenchmarkOptions> & {
      readonly etl?: boolean;
      readonly names?: readonly string[];
    } = {},
  ): Promise<BenchmarkEnd> {
    const checked = {
      ...checkScenario({ ...TINY, ...fields }, 'tiny.json'),
      peers: options.names ?? [],
    };
    const scenario = options.etl === false ? { ...checked, strategies: [] } : checked;
    const { quick: rows = 0 } = scenario.rows;
    return runBenchmark({
      databaseUrl: db.url,
      embedded: true,
      suite: 'quick',
      version: '1.2.3',
      scenarios: [{ scenario, rows, tableRows: scenario.tableRows.quick ?? 0 }],
      runs: 1,
      seed: 5,
      peers: { available: [], unavailable: [] },
      signal: new AbortController().signal,
      now: () => new Date(),
      onProgress: (one) => progress.push(one),
      ...options,
    });
  }

  async function schemas(): Promise<unknown[]> {
    const rows = await db.query(`select nspname from pg_namespace where nspname like 'etl_bench%'`);
    return rows.map((row) => row['nspname']);
  }
});

function expectMeasured(one: BenchmarkCase | undefined): void {
  expect(one).toMatchObject({ rows: 600, skipped: null });
  expect(one?.chosen).not.toBeNull();
  expect(one?.bytes).toBeGreaterThan(10_000);
  for (const run of one?.runs ?? []) {
    expect(run).toMatchObject({ correct: true });
    expect(run.wallMs).toBeGreaterThan(0);
    expect(run.clientCpuMs).toBeGreaterThan(0);
    expect(run.rssPeakBytes).toBeGreaterThan(20e6);
    expect(run.connectionsPeak).toBeGreaterThanOrEqual(2);
    expect(run.walBytes).toBeGreaterThan(10_000);
    if (process.platform === 'linux') expect(run.serverCpuMs).toBeGreaterThan(0);
    expect(Object.keys(run.predicted).length).toBeGreaterThan(0);
    expect(new Set(run.timeline.map((span) => span.phase))).toContain('stage');
    expect(new Set(run.timeline.map((span) => span.phase))).toContain('merge');
    for (const span of run.timeline) expect(span.toMs).toBeGreaterThanOrEqual(span.fromMs);
  }
}

function does(name: string, run: (job: PeerJob) => Promise<void>): Peer {
  return {
    name,
    does: 'What the test says.',
    deterministic: true,
    maxRows: null,
    run: async (job) => {
      await run(job);
      return { clientCpuMs: null, rssPeakBytes: null };
    },
  };
}

/** A peer of plain SQL that loads the first so many of its files. */
function copies(name: string, files: number): Peer {
  return does(name, async (job) => {
    const connection = await sessionOf(job.databaseUrl);
    const names = job.columns.map((column) => column.name);
    const set = names.map((column) => `${column} = excluded.${column}`).join(', ');
    for (const path of job.files.slice(0, files)) {
      await connection.query(`create temp table plain (like ${job.table})`);
      const bytes = async function* () {
        yield await readFile(path);
      };
      await connection.copyIn('copy plain from stdin with (format csv, header)', bytes());
      await connection.query(
        `insert into ${job.table} select * from plain
         on conflict (${job.key.join(', ')}) do update set ${set}`,
      );
      await connection.query('drop table plain');
    }
    await connection.end();
  });
}

function sessionOf(databaseUrl: string): Promise<Connection> {
  return connect({ databaseUrl, applicationName: 'peer', connectTimeoutMs: 5_000, session: {} });
}

async function untilWaiting(connection: Connection): Promise<void> {
  for (;;) {
    const rows = await connection.query(
      `select from pg_stat_activity where application_name = 'peer' and wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
    await sleep(5);
  }
}
