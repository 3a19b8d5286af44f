import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import type { LoadPlan } from '../../src/plan/plan-types.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { load, planJob, runPlan } from '../support/load.ts';
import {
  CASES_LIMIT_MS,
  createTwins,
  expectAsOracle,
  expectBalanced,
  forCases,
  jobOf,
  optionsOf,
  oracleOf,
  rowsIn,
} from '../support/promise.ts';
import {
  badRowsOf,
  csvWithBadRows,
  KNOWN_VERSIONS,
  constraintsOf,
} from '../support/random-bad-rows.ts';
import { randomPolicies, type LoadWithPolicies } from '../support/random-policies.ts';
import { CASE_BLIND, csvOf } from '../support/random-load.ts';
import { fittingRelatives, giveRelatives, randomRelatives } from '../support/random-relatives.ts';
import { withWindows } from '../support/random-windows.ts';

const STRATEGIES = ['full-parallel', 'hybrid', 'sequential', 'partitioned'] as const;

/** `insertOnly` and `compare` leave what row-by-row loading with the same rules would leave. */
describe('column policies', () => {
  let db: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-policies-'));
    await db.query(`${CASE_BLIND}${KNOWN_VERSIONS}`);
  });
  afterEach(() => expectNoLeaks(db.url));
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it(
    'hold for random tables, files, strategies and concurrency',
    async () => {
      const cases = fc.tuple(randomPolicies, randomRelatives);
      await forCases(120, cases, async ([random, wanted], table) => {
        const relatives = fittingRelatives(random, wanted);
        await createTwins(db, table, random);
        await giveRelatives(db, table, random, relatives);
        const texts = random.files.map(csvOf);
        const job = await jobWithPolicies(table, texts, random);
        const plan = await planJob(db.url, job, optionsOf(folder, random));
        const copiesLikeInsert = !relatives.partitions && !relatives.trigger;
        const direct = random.windows && copiesLikeInsert;
        const run = direct ? await withWindows(db, plan, random) : plan;
        const report = await runPlan(db.url, run, {});
        expect(report.error).toBeNull();
        await expectAsOracle(db, oracleOf(table, random), random.files);
        expectBalanced(report.loads[0]?.totals, rowsIn(random.files));
        await db.query(`drop table ${table}, ${table}_oracle cascade`);
      });
    },
    CASES_LIMIT_MS,
  );

  it(
    'hold of the good rows where bad ones are put aside',
    async () => {
      const withBad = randomPolicies.chain((drawn) => {
        const strategy = drawn.strategy === 'partitioned' ? 'auto' : drawn.strategy;
        const random = { ...drawn, strategy } as const;
        return badRowsOf(random).map((bad) => ({ random, bad }));
      });
      await forCases(60, withBad, async ({ random, bad }, drawn) => {
        const table = `${drawn}_with_bad`;
        await createTwins(db, table, random, constraintsOf(random));
        const texts = random.files.map((file, place) => csvWithBadRows(file, bad[place] ?? []));
        const rejects = join(folder, `${table}-rejects`);
        const settings = { onError: 'quarantine', subBatchSize: 3, rejects } as const;
        const job = await jobWithPolicies(table, texts, random, settings);
        const { report } = await load(db.url, job, { cwd: folder });
        expect(report.error).toBeNull();
        await expectAsOracle(db, oracleOf(table, random), random.files);
        expect(report.loads[0]?.totals.rejected).toBe(bad.flat().length);
        await db.query(`drop table ${table}, ${table}_oracle`);
      });
    },
    CASES_LIMIT_MS,
  );

  async function jobWithPolicies(
    table: string,
    texts: readonly string[],
    random: LoadWithPolicies,
    settings: Parameters<typeof jobOf>[3] = {},
  ): Promise<ReturnType<typeof jobOf>> {
    const files = texts.map((_, place) => join(folder, `${table}-${place}.csv`));
    await Promise.all(texts.map((text, place) => writeFile(files[place] ?? '', text)));
    const { insertOnly, compare } = random;
    const job = jobOf(table, files, random, settings);
    const policies = {
      insertOnly: insertOnly.length === 0 ? null : [...insertOnly],
      compare: compare.length === 0 ? null : [...compare],
    };
    return { ...job, loads: job.loads.map((one) => ({ ...one, ...policies })) };
  }

  const PAGES = 'id bigint primary key, content text, scraped_at int, created_at int';
  const POLICIES = { insertOnly: ['created_at'], compare: ['content'] };

  it.each(STRATEGIES)(
    'follow the last change of content, wherever it was (%s)',
    async (strategy) => {
      const name = `pages_${strategy.replace('-', '_')}`;
      await db.query(`create table ${name} (${PAGES})`);
      await db.query(`insert into ${name} values (1, 'a', 1, 1), (2, 'a', 1, 1), (3, 'a', 1, 1)`);
      const report = await loadPages(name, strategy, [
        // Of 1 there and back again; of 2 nothing new; of 3 a change, then the same; 4 and 5 are new.
        ['1,a,2,2', '1,b,3,3', '2,a,2,2', '3,b,2,2', '4,x,2,2', '5,x,2,2'],
        ['1,a,4,4', '1,a,5,5', '2,a,3,3', '3,b,3,3', '4,x,3,3', '5,y,3,3', '5,y,4,4'],
      ]);
      expect(await db.query(`select * from ${name} order by id`)).toEqual([
        { id: '1', content: 'a', scraped_at: 4, created_at: 1 },
        { id: '2', content: 'a', scraped_at: 1, created_at: 1 },
        { id: '3', content: 'b', scraped_at: 2, created_at: 1 },
        { id: '4', content: 'x', scraped_at: 2, created_at: 2 },
        { id: '5', content: 'y', scraped_at: 3, created_at: 2 },
      ]);
      expect(report.loads[0]?.totals.rowsRead).toBe(13);
    },
  );

  it('neither write nor lock rows whose compared columns are as they were', async () => {
    await db.query(`create table same (${PAGES})`);
    const rows = Array.from({ length: 20_000 }, (_, id) => `${id},text ${id},1,1`);
    const first = await loadPages('same', 'auto', [rows]);
    expect(first.loads[0]?.totals).toMatchObject({ inserted: 20_000 });
    const marks = `select sum(xmin::text::int8 + xmax::text::int8) as marks from same where id <> 7`;
    const before = await db.query(marks);
    const later = rows.map((row) => row.replace(',1,1', ',2,2'));
    const shuffled = later.map((_, place) => later[(place * 7_919) % later.length] ?? '');
    for (const [place, again] of [later, shuffled].entries()) {
      const changed = again.map((row) => row.replace('text 7,2,2', `new ${place},3,3`));
      const { loads } = await loadPages('same', 'auto', [changed]);
      expect(loads[0]?.totals).toMatchObject({ inserted: 0, updated: 1, unchanged: 19_999 });
    }
    expect(await db.query(marks)).toEqual(before);
    expect(await db.query('select * from same where id = 7')).toEqual([
      { id: '7', content: 'new 1', scraped_at: 3, created_at: 1 },
    ]);
  });

  it('hold in each form of a large merge', async () => {
    const rows = (count: number, of: (row: number) => readonly [number, string, number]) =>
      Array.from({ length: count }, (_, row) => of(row));
    const files = [
      // New keys, each six times; half of them known, some changed; all known, few changed.
      rows(12_000, (row) => [row % 2_000, `c${(row * 31) % 3}`, row]),
      rows(9_000, (row) => [1_000 + ((row * 17) % 3_000), `c${(row * 13) % 4}`, 20_000 + row]),
      rows(8_000, (row) => [row % 4_000, row % 500 === 0 ? 'new' : 'c1', 40_000 + row]),
      rows(8_000, (row) => [row % 4_000, row % 500 === 0 ? 'newer' : 'c1', 60_000 + row]),
    ];
    const expected = foldedPages(files.flat());
    for (const strategy of STRATEGIES) {
      const name = `large_${strategy.replace('-', '_')}`;
      await db.query(`create table ${name} (${PAGES})`);
      const lines = files.map((file) => file.map(([id, text, at]) => `${id},${text},${at},${at}`));
      await loadPages(name, strategy, lines);
      const [engine] = await db.query(
        `select json_agg(json_build_array(id, content, scraped_at, created_at) order by id) as pages
           from ${name}`,
      );
      expect(engine?.['pages']).toEqual(expected);
    }
  });

  it('are known to etl verify, which tells what only the rows before the load can know', async () => {
    await db.query(`create table verified (${PAGES})`);
    const files = [
      ['1,a,1,1', '2,a,1,1'],
      ['1,a,2,2', '2,b,2,2', '3,c,2,2'],
    ];
    const job = await pagesJob('verified', 'auto', files);
    expect((await load(db.url, job.input, { cwd: job.cwd })).report.error).toBeNull();
    const found = async (wholeTable: boolean): Promise<unknown> => {
      const options = { databaseUrl: db.url, wholeTable, log: silentLog, now: () => 0 };
      const { tables } = await verify(defineJob(job.input, job.cwd), { ...options, cwd: job.cwd });
      return tables.map(({ changed, notCompared }) => ({ changed, notCompared }));
    };
    const uncertain = ['scraped_at', 'created_at'];
    expect(await found(true)).toEqual([{ changed: 0, notCompared: [] }]);
    expect(await found(false)).toEqual([{ changed: 0, notCompared: uncertain }]);
    await db.query('update verified set scraped_at = 9 where id = 1');
    await db.query('update verified set created_at = 9 where id = 2');
    expect(await found(true)).toEqual([{ changed: 2, notCompared: [] }]);
    expect(await found(false)).toEqual([{ changed: 0, notCompared: uncertain }]);
    await db.query(`update verified set content = 'x' where id = 3`);
    expect(await found(false)).toEqual([{ changed: 1, notCompared: uncertain }]);
  });

  async function loadPages(
    table: string,
    strategy: LoadPlan['strategy'] | 'auto',
    files: readonly (readonly string[])[],
  ): Promise<Awaited<ReturnType<typeof load>>['report']> {
    const { input, cwd } = await pagesJob(table, strategy, files);
    const { report } = await load(db.url, input, { cwd });
    expect(report.error).toBeNull();
    return report;
  }

  async function pagesJob(
    table: string,
    strategy: LoadPlan['strategy'] | 'auto',
    files: readonly (readonly string[])[],
  ): Promise<{ input: Parameters<typeof load>[1]; cwd: string }> {
    const own = await mkdtemp(join(folder, 'pages-'));
    for (const [place, lines] of files.entries()) {
      const head = 'id,content,scraped_at,created_at';
      await writeFile(join(own, `${place}.csv`), `${head}\n${lines.join('\n')}\n`);
    }
    const input = {
      settings: { concurrency: 2 },
      loads: [{ table, files: ['*.csv'], strategy, ...POLICIES }],
    };
    return { input, cwd: own };
  }
});

/** Row by row: [id, content, scraped_at, created_at], in the order of the id. */
function foldedPages(
  rows: readonly (readonly [number, string, number])[],
): (readonly [number, string, number, number])[] {
  const pages = new Map<number, readonly [number, string, number, number]>();
  for (const [id, content, at] of rows) {
    const page = pages.get(id);
    if (page === undefined) pages.set(id, [id, content, at, at]);
    else if (page[1] !== content) pages.set(id, [id, content, at, page[3]]);
  }
  return [...pages.values()].sort((a, b) => a[0] - b[0]);
}
