import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Peer } from '../../benchmarks/peers/peers.ts';
import type { BenchmarkCase } from '../../benchmarks/results.ts';
import { runBenchmark, type BenchmarkEnd } from '../../benchmarks/run-benchmark.ts';
import type { Progress } from '../../benchmarks/run-scenario.ts';
import { checkScenario, type Scenario } from '../../benchmarks/scenario.ts';
import { EtlError } from '../../src/errors.ts';
import { connect } from '../../src/target/connect.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';

const TINY = {
  name: 'tiny',
  description: 'Three files; half of the keys of each are in all of them.',
  rows: { quick: 600 },
  files: 3,
  overlap: 0.5,
};

describe('etl benchmark', () => {
  let db: TestDatabase;
  let progress: Progress[];

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
    for (const one of results.cases) expectMeasured(one);
    // auto is compared with the one other strategy that was run.
    expect(results.ratios).toHaveLength(1);
    expect(await schemas()).toEqual([]);
  });

  it('takes runs by turns, the first of each to warm up', async () => {
    const { results } = await benchmark({ strategies: ['hybrid', 'sequential'] });
    const turns = progress.flatMap((one) =>
      one.kind === 'run' ? [`${one.contender.strategy ?? ''} ${one.round}`] : [],
    );
    expect(turns).toEqual(['hybrid 0', 'sequential 0', 'hybrid 1', 'sequential 1']);
    const [first] = results.cases;
    expect(first?.runs.map((run) => run.warmUp)).toEqual([true, false]);
    expect(new Set(first?.runs.map((run) => run.digest)).size).toBe(1);
  });

  it('lets the engine create the table where it is fresh', async () => {
    const { results, failures } = await benchmark({ fresh: true, formats: ['parquet', 'csv.gz'] });
    expect(failures).toEqual([]);
    expectMeasured(results.cases[0]);
  });

  it('knows what an append must leave, and what a table held before', async () => {
    const appended = await benchmark({ onConflict: 'append', overlap: 0 });
    expect(appended.failures).toEqual([]);
    const again = await benchmark({ tableRows: { quick: 900 }, known: 0.75, unchanged: 0.5 });
    expect(again.failures).toEqual([]);
    expect(again.results.cases[0]?.runs[0]?.digest).toMatch(/^(?!600 )\d{3,4} rows/);
  });

  it('shows a wrong table as wrong, and says so', async () => {
    const { results, failures } = await benchmark({ peers: true }, [copies('first file only', 1)]);
    const wrong = results.cases.find((one) => one.contender === 'first file only');
    expect(wrong?.runs.map((run) => run.correct)).toEqual([false, false]);
    expect(wrong?.runs[0]?.digest).not.toBe(results.cases[0]?.runs[0]?.digest);
    expect(failures).toEqual(['tiny, first file only: the table was wrong after 2 of 2 runs']);
    expect(results.ratios.filter((ratio) => ratio.name.includes('first file'))).toEqual([]);
  });

  it('expects nothing of who promises nothing', async () => {
    const careless = { ...copies('careless', 1), deterministic: false };
    const { results, failures } = await benchmark({ peers: true }, [careless]);
    expect(results.cases[1]?.runs[0]?.correct).toBe(false);
    expect(failures).toEqual([]);
  });

  it('gives a slow peer fewer rows, and checks those', async () => {
    const slow = { ...copies('slow', 3), maxRows: 90 };
    const { results, failures } = await benchmark({ peers: true }, [slow]);
    expect(failures).toEqual([]);
    expect(results.cases[1]).toMatchObject({ rows: 90, skipped: null });
    expect(results.cases[1]?.runs.every((run) => run.correct)).toBe(true);
    expect(results.ratios.map((ratio) => ratio.name)).toContain('tiny: time per row, against slow');
  });

  it('goes on without a peer that fails or is not there', async () => {
    const broken: Peer = {
      ...copies('broken', 0),
      run: async () => {
        throw new EtlError('ETL_PEER', 'It broke.', '');
      },
    };
    const { results, failures } = await benchmark(
      { peers: true },
      [broken],
      [{ name: 'absent', why: 'absent is not installed' }],
    );
    expect(results.cases.map((one) => [one.contender, one.skipped])).toEqual([
      ['etl', null],
      ['broken', 'It broke.'],
      ['absent', 'absent is not installed'],
    ]);
    expect(failures).toEqual([]);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const interrupt = new AbortController();
    const during: Peer = {
      ...copies('during', 0),
      run: async () => {
        interrupt.abort(new Error('stop'));
        return { clientCpuMs: null, rssPeakBytes: null };
      },
    };
    await expect(benchmark({ peers: true }, [during], [], interrupt.signal)).rejects.toThrow(
      'stop',
    );
    expect(await schemas()).toEqual([]);
  });

  it('waits as long as a server that is far away', async () => {
    const { results, failures } = await benchmark({ latencyMs: 30 });
    expect(failures).toEqual([]);
    // A load takes far more than ten round trips.
    expect(results.cases[0]?.runs[1]?.wallMs).toBeGreaterThan(300);
  });

  async function benchmark(
    fields: Partial<Record<keyof Scenario, unknown>>,
    peers: readonly Peer[] = [],
    unavailable: { name: string; why: string }[] = [],
    signal = new AbortController().signal,
  ): Promise<BenchmarkEnd> {
    const scenario = checkScenario({ ...TINY, ...fields }, 'tiny.json');
    const { quick: rows = 0 } = scenario.rows;
    return runBenchmark({
      databaseUrl: db.url,
      embedded: true,
      suite: 'quick',
      version: '1.2.3',
      scenarios: [{ scenario, rows, tableRows: scenario.tableRows.quick ?? 0 }],
      runs: 1,
      seed: 5,
      peers: { available: peers, unavailable },
      signal,
      now: () => new Date(),
      onProgress: (one) => progress.push(one),
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
  expect(one?.runs).toHaveLength(2);
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

/** A peer of plain SQL that loads the first so many of its files. */
function copies(name: string, files: number): Peer {
  return {
    name,
    does: 'Plain SQL.',
    deterministic: true,
    maxRows: null,
    run: async (job) => {
      const session = { applicationName: name, connectTimeoutMs: 5_000, session: {} };
      const connection = await connect({ databaseUrl: job.databaseUrl, ...session });
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
      return { clientCpuMs: null, rssPeakBytes: null };
    },
  };
}
