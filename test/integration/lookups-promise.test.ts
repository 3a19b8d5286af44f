import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import type { RunEvent } from '../../src/run/events.ts';
import { armSql, FAULTS } from '../support/faults.ts';
import { load, planJob, runPlan } from '../support/load.ts';
import { CASES_LIMIT_MS, forCases } from '../support/promise.ts';
import { csvOf } from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';

/**
 * The promise with a column that is looked up: said in the words of the files instead of ids, the
 * table ends as the oracle's, whose table holds these words and knows no lookup.
 */
const scene = useScene(() => '', FAULTS);

const KNOWN = ['AA', 'BB', 'CC'];
const SYMBOLS = [...KNOWN, 'aa', 'Bb', 'dd', 'DD', 'ee', ' cc', 'ß', ''];
const COLUMNS = ['k', 'symbol', 'v', 'version'];

const row = fc.tuple(
  fc.constantFrom('1', '2', '3', '4'),
  fc.option(fc.constantFrom(...SYMBOLS), { freq: 12, nil: null }),
  fc.option(fc.constantFrom('x', 'y', 'z'), { nil: null }),
  fc.constantFrom('1', '2', '3'),
);
const file = fc.record({
  rows: fc.array(row, { maxLength: 12 }),
  order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
});
const randomLookup = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 7 }),
  key: fc.constantFrom<string[]>(['company'], ['k', 'company'], ['company', 'k'], ['k']),
  onConflict: fc.constantFrom(
    'update' as const,
    'ignore' as const,
    'newest' as const,
    'append' as const,
  ),
  strategy: fc.constantFrom(
    'auto' as const,
    'full-parallel' as const,
    'hybrid' as const,
    'sequential' as const,
    'partitioned' as const,
  ),
  concurrency: fc.integer({ min: 1, max: 4 }),
  fold: fc.constantFrom('upper' as const, null),
  insertMissing: fc.boolean(),
  split: fc.boolean(),
});
type RandomLookup = typeof randomLookup extends fc.Arbitrary<infer T> ? T : never;

/** Companies that somebody adds after the load; what named them can be tried again then. */
const ADDED = ['DD', 'aa', 'EE'];

const WORDS = ['k', 'company', 'v', 'version'];

/** What the column `company` of the oracle holds for each row; rows that must be rejected are left out. */
function oracleFiles(
  { files, fold, insertMissing, key }: RandomLookup,
  known: readonly string[],
): OracleFile[] {
  return files.map(({ rows }) => ({
    columns: WORDS,
    rows: rows.flatMap(([k, symbol, v, version]) => {
      // PostgreSQL's upper() leaves ß alone.
      const company =
        fold === null ? symbol : (symbol?.replace(/[a-z]/g, (c) => c.toUpperCase()) ?? null);
      const isKnown = company !== null && (insertMissing || known.includes(company));
      const isNull = company === null && !key.includes('company');
      return isKnown || isNull ? [[k, company, v, version]] : [];
    }),
  }));
}

/** The rows in the words of the files; of the oracle's table where no companies are given. */
function wordsOf(table: string, companies: string | null): Promise<unknown[]> {
  const [name, join] =
    companies === null
      ? ['t.company', '']
      : ['c.symbol', `left join ${companies} c on c.id = t.company`];
  return scene.db.query(`select k, ${name} as company, v, version from ${table} t ${join}
                          order by k, ${name} collate "C", v, version`);
}

/** A table that appends needs no key, cannot be partitioned, and takes no row again. */
function possible(drawn: RandomLookup): RandomLookup {
  if (drawn.onConflict !== 'append') return drawn;
  const strategy = drawn.strategy === 'partitioned' ? 'auto' : drawn.strategy;
  return { ...drawn, key: [], strategy };
}

function jobOf(name: string, companies: string, paths: string[], random: RandomLookup) {
  const { concurrency, onConflict, strategy, key, fold, insertMissing } = random;
  const usual = { column: 'symbol', table: companies, match: 'symbol', into: 'company' };
  return {
    settings: {
      concurrency,
      onError: 'quarantine' as const,
      rejects: join(scene.folder, `${name}-rejects`),
      ...(random.split ? { chunkSize: 3 } : {}),
    },
    loads: [
      {
        table: name,
        files: paths,
        ...(key.length === 0 ? {} : { key }),
        onConflict,
        strategy,
        versionColumn: onConflict === 'newest' ? 'version' : null,
        lookups: [{ ...usual, fold, insertMissing }],
      },
    ],
  };
}

async function writeFiles(name: string, { files }: RandomLookup): Promise<string[]> {
  return Promise.all(
    files.map(async ({ rows, order }, place) => {
      const columns = order.map((at) => COLUMNS[at] ?? '');
      const path = join(scene.folder, `${name}-${place}.csv`);
      const ordered = rows.map((values) => order.map((at) => values[at] ?? null));
      await writeFile(path, csvOf({ columns, rows: ordered }));
      return path;
    }),
  );
}

/** Fills the oracle's table, emptied before, with what the files hold. */
async function fillOracle(name: string, random: RandomLookup, files: OracleFile[]): Promise<void> {
  const { key, onConflict } = random;
  await scene.db.query(`truncate ${name}`);
  await loadInBatches(
    scene.db,
    { table: name, columns: WORDS, key, onConflict, versionColumn: 'version' },
    files,
  );
}

test(
  'the table ends as the oracle says, and as if all companies had been there, once they are',
  async () => {
    const { db, folder } = scene;
    await forCases(60, randomLookup, async (drawn, name) => {
      const random = possible(drawn);
      const [companies, oracle] = [`${name}_companies`, `${name}_oracle`];
      const unique = random.key.length === 0 ? '' : `, unique (${random.key.join(', ')})`;
      await db.query(`
      create table ${companies} (id int generated always as identity (start 7) primary key,
        symbol varchar(9) not null unique);
      insert into ${companies} (symbol) values ${KNOWN.map((symbol) => `('${symbol}')`).join(', ')};
      create table ${name} (k int, company int, v text, version int ${unique});
      create table ${oracle} (k int, company text, v text, version int ${unique})`);
      const job = jobOf(name, companies, await writeFiles(name, random), random);
      const options = { cwd: folder, ...(random.split ? { partBytesMin: 20 } : {}) };
      const { report } = await load(db.url, job, options);
      expect(report.error).toBeNull();
      const files = oracleFiles(random, KNOWN);
      const kept = files.reduce((sum, each) => sum + each.rows.length, 0);
      const read = random.files.reduce((sum, each) => sum + each.rows.length, 0);
      expect(report.loads[0]?.totals).toMatchObject({ rowsRead: read, rejected: read - kept });
      await fillOracle(oracle, random, files);
      expect(await wordsOf(name, companies)).toEqual(await wordsOf(oracle, null));
      const named = files.flatMap(({ rows }) => rows.flatMap(([, company]) => company ?? []));
      const expected = new Set([...KNOWN, ...named]);
      const there = await db.query(`select symbol from ${companies}`);
      expect(new Set(there.map(({ symbol }) => symbol))).toEqual(expected);
      expect(report.loads[0]?.lookups).toEqual([
        { table: `public.${companies}`, created: expected.size - KNOWN.length },
      ]);
      if (read > kept && !random.insertMissing) {
        const values = ADDED.map((symbol) => `('${symbol}')`).join(', ');
        await db.query(`insert into ${companies} (symbol) values ${values}`);
        const retried = await load(db.url, job, { ...options, retryRejects: true });
        expect(retried.report.error).toBeNull();
        await fillOracle(oracle, random, oracleFiles(random, [...KNOWN, ...ADDED]));
        expect(await wordsOf(name, companies)).toEqual(await wordsOf(oracle, null));
      }
      await db.query(`drop table ${name}, ${oracle}, ${companies}`);
    });
  },
  CASES_LIMIT_MS,
);

/** Where a backend dies once: while it copies, while it creates, while it merges. */
test.for([
  ['while it stages', 'stage', 'full-parallel'],
  ['while it creates', 'merge', 'full-parallel'],
  ['while it creates for a partitioned load', 'merge', 'partitioned'],
  ['while it merges what it has created', 'target', 'full-parallel'],
] as const)('a backend that dies %s', async ([, kind, strategy]) => {
  const { db, folder, table } = scene;
  const inTarget = kind === 'target' ? `check (fault('merge', v))` : '';
  const inCompanies = kind === 'merge' ? `check (fault('merge', symbol))` : '';
  await db.query(`
    create table ${table}_companies (id int generated always as identity primary key,
      symbol text not null unique ${inCompanies});
    create table ${table} (k int primary key, company int references ${table}_companies,
      v fault_staged ${inTarget})`);
  const bomb = kind === 'stage' ? 'stage bomb' : 'merge bomb';
  const lines = (from: number): string =>
    Array.from({ length: 50 }, (_, n) => `${from + n},S${(from * 7 + n) % 20},v`).join('\n');
  await scene.write({
    'a.csv': `k,symbol,v\n${lines(0)}\n`,
    'b.csv': `k,symbol,v\n${lines(30)}\n999,${kind === 'merge' ? bomb : 'S3'},${kind === 'merge' ? 'v' : bomb}\n`,
    'c.csv': `k,symbol,v\n${lines(60)}\n`,
  });
  await db.query(armSql(kind === 'stage' ? 'stage' : 'merge', 0));
  const retried: RunEvent[] = [];
  const lookups = [
    {
      ...{ column: 'symbol', table: `${table}_companies`, match: 'symbol', into: 'company' },
      insertMissing: true,
    },
  ];
  const plan = await planJob(
    db.url,
    { settings: { concurrency: 3 }, loads: [{ table, files: ['*.csv'], strategy, lookups }] },
    { cwd: folder },
  );
  const report = await runPlan(db.url, plan, {
    onEvent: (event) => {
      if (event.kind === 'unit-retried') retried.push(event);
    },
  });
  expect([report.status, report.error]).toEqual(['loaded', null]);
  expect(retried).toMatchObject([{ error: { code: 'ETL_CONNECTION' } }]);
  const companies = kind === 'merge' ? 21 : 20;
  const counted = await db.query(
    `select count(*)::int as rows, count(distinct company)::int as companies,
            count(*) filter (where k < 999 and symbol <> 'S' || case
              when k >= 60 then (60 * 7 + k - 60) % 20
              when k >= 30 then (30 * 7 + k - 30) % 20 else k % 20 end)::int as wrong
       from ${table} join ${table}_companies c on c.id = company`,
  );
  expect(counted).toEqual([{ rows: 111, companies, wrong: 0 }]);
  expect(await db.query(`select count(*)::int as n from ${table}_companies`)).toEqual([
    { n: companies },
  ]);
  expect(report.loads[0]?.lookups?.[0]?.created).toBeLessThanOrEqual(companies);
});
