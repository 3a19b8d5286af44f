import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type OracleFile } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import { load } from '../support/load.ts';
import { CASES_LIMIT_MS, forCases } from '../support/promise.ts';
import { csvOf } from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';

/**
 * The promise with rows that are created of several columns of the files, and with several targets:
 * the tables end as if each row of each file had come alone, one after another. The oracle knows
 * neither units nor sets: it goes through the rows in arithmetic, and says what each of them does.
 */
const scene = useScene(() => '');

const SYMBOLS = ['AA', 'aa', 'BB', 'CC', 'dd', 'DD', 'EE'];
const COLUMNS = ['k', 'symbol', 'name', 'rating', 'v'] as const;

const row = fc.record({
  k: fc.constantFrom('1', '2', '3'),
  symbol: fc.option(fc.constantFrom(...SYMBOLS), { freq: 9, nil: null }),
  /** The table refuses "bad", and a name that another company has. */
  name: fc.option(fc.constantFrom('one', 'two', 'three', 'four', 'five', 'six', 'bad'), {
    freq: 3,
    nil: null,
  }),
  rating: fc.constantFrom('1', '2', '3'),
  v: fc.constantFrom('x', 'y', 'z'),
});
const file = fc.record({
  rows: fc.array(row, { maxLength: 10 }),
  /** Which of the columns of a created row the file brings. */
  brings: fc.subarray(['name', 'rating'] as const, { minLength: 0 }),
});
const randomLoad = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 6 }),
  key: fc.constantFrom<string[]>(['company'], ['k', 'company'], ['k']),
  onConflict: fc.constantFrom('update' as const, 'ignore' as const),
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
  required: fc.constantFrom(true, false, null),
  /** A further table that takes the rows with the words of the files, and one with the id. */
  further: fc.constantFrom('none', 'words', 'words of some', 'ids'),
  split: fc.boolean(),
});
type Random = typeof randomLoad extends fc.Arbitrary<infer T> ? T : never;
type Row = Random['files'][number]['rows'][number];

interface Company {
  readonly symbol: string;
  readonly name: string | null;
  readonly rating: string;
}

/** A row that is loaded, in the words of the files. */
interface Loaded extends Row {
  readonly company: string | null;
}

interface Expected {
  readonly companies: readonly Company[];
  readonly files: readonly (readonly Loaded[])[];
  readonly rejected: number;
}

/** Each row by itself: what is created of it, and whether it is loaded. */
function expectedOf({ files, fold, insertMissing, required, key }: Random): Expected {
  const companies: Company[] = [{ symbol: 'AA', name: 'one', rating: '9' }];
  let rejected = 0;
  const takes = (one: Row, brings: readonly string[]): Loaded | null => {
    const symbol =
      fold === null ? one.symbol : (one.symbol?.replace(/[a-z]/g, (c) => c.toUpperCase()) ?? null);
    const nullable = !key.includes('company');
    if (symbol === null) {
      return required === true || !nullable ? null : { ...one, company: null };
    }
    const known = companies.some((each) => each.symbol === symbol);
    if (!known && insertMissing) {
      const name = brings.includes('name') ? one.name : null;
      const rating = brings.includes('rating') ? one.rating : '7';
      const taken = name !== null && companies.some((each) => each.name === name);
      if (name === 'bad' || taken) return null;
      companies.push({ symbol, name, rating });
    } else if (!known) {
      return required === false && nullable ? { ...one, company: null } : null;
    }
    return { ...one, company: symbol };
  };
  const loaded = files.map(({ rows, brings }) =>
    rows.flatMap((one) => {
      const taken = takes(one, brings);
      if (taken === null) rejected += 1;
      return taken ?? [];
    }),
  );
  return { companies, files: loaded, rejected };
}

/** What contradicts itself in a job is not drawn. */
function possible(drawn: Random): Random {
  const keyed = drawn.key.includes('company');
  const required =
    drawn.required === false && (drawn.insertMissing || keyed) ? null : drawn.required;
  const several = drawn.further !== 'none' && drawn.strategy === 'partitioned';
  return { ...drawn, required, strategy: several ? 'auto' : drawn.strategy };
}

async function writeFiles(name: string, { files }: Random): Promise<string[]> {
  return Promise.all(
    files.map(async ({ rows, brings }, place) => {
      const columns = COLUMNS.filter(
        (column) => (column !== 'name' && column !== 'rating') || brings.includes(column),
      );
      const path = join(scene.folder, `${name}-${place}.csv`);
      await writeFile(
        path,
        csvOf({ columns, rows: rows.map((one) => columns.map((c) => one[c])) }),
      );
      return path;
    }),
  );
}

function jobOf(name: string, files: string[], random: Random) {
  const { concurrency, onConflict, strategy, key, fold, insertMissing, required } = random;
  const broughtBy = new Set(random.files.flatMap(({ brings }) => brings));
  const set = Object.fromEntries([...broughtBy].map((column) => [column, column]));
  const leftOut = Object.fromEntries([...broughtBy].map((column) => [column, null]));
  const further = `${name}_further`;
  const own = { table: further, onConflict: 'append' as const };
  const targets =
    random.further === 'none'
      ? []
      : random.further === 'ids'
        ? [{ table: further, key: ['company', 'v'], onConflict: 'ignore' as const }]
        : [
            {
              ...own,
              where: random.further === 'words' ? null : `v = 'x' and company is not null`,
            },
          ];
  const lookup = { column: 'symbol', table: `${name}_companies`, match: 'symbol', into: 'company' };
  return {
    settings: {
      concurrency,
      onError: 'quarantine' as const,
      rejects: join(scene.folder, `${name}-rejects`),
      ...(random.split ? { chunkSize: 3 } : {}),
    },
    loads: [
      {
        ...{ table: name, files, key, onConflict, strategy, targets },
        ...(insertMissing ? {} : { columns: leftOut }),
        lookups: [{ ...lookup, fold, insertMissing, required, ...(insertMissing ? { set } : {}) }],
      },
    ],
  };
}

async function createTables(name: string, { key, further }: Random): Promise<void> {
  await scene.db.query(`
    create table ${name}_companies (id int generated always as identity (start 7) primary key,
      symbol text not null unique, name text unique check (name <> 'bad'), rating int default 7);
    insert into ${name}_companies (symbol, name, rating) values ('AA', 'one', 9);
    create table ${name} (k int, company int, v text, unique (${key.join(', ')}));
    create table ${name}_oracle (k int, company text, v text, unique (${key.join(', ')}))`);
  if (further === 'none') return;
  await scene.db.query(
    further === 'ids'
      ? `create table ${name}_further (company int not null, v text, primary key (company, v))`
      : `create table ${name}_further (k int, symbol text, v text)`,
  );
}

/** The loaded table in the words of the files, as the oracle's has them. */
async function expectTable(name: string, random: Random, { files }: Expected): Promise<void> {
  const { db } = scene;
  const words: OracleFile[] = files.map((rows) => ({
    columns: ['k', 'company', 'v'],
    rows: rows.map(({ k, company, v }) => [k, company, v]),
  }));
  await loadInBatches(
    db,
    {
      ...{ table: `${name}_oracle`, columns: ['k', 'company', 'v'], key: random.key },
      ...{ onConflict: random.onConflict, versionColumn: null },
    },
    words,
  );
  const wordsOf = async (sql: string): Promise<string[]> =>
    (await db.query(sql)).map((one) => JSON.stringify(one)).sort();
  const engine = `select k, c.symbol as company, v from ${name} t
                    left join ${name}_companies c on c.id = company`;
  expect(await wordsOf(engine)).toEqual(await wordsOf(`select k, company, v from ${name}_oracle`));
}

async function expectFurther(name: string, { further }: Random, expected: Expected): Promise<void> {
  if (further === 'none') return;
  const rows = expected.files.flat();
  if (further === 'ids') {
    const ids = await scene.db.query(
      `select c.symbol || ' ' || v as words from ${name}_further join ${name}_companies c on c.id = company`,
    );
    const there = new Set(rows.map(({ company, v }) => `${company} ${v}`));
    expect(ids.map(({ words }) => words).sort()).toEqual([...there].sort());
    return;
  }
  const taken = rows.filter(
    ({ v, company }) => further === 'words' || (v === 'x' && company !== null),
  );
  const raw = await scene.db.query(
    `select concat_ws(' ', k, coalesce(symbol, '-'), v) as words from ${name}_further`,
  );
  const words = taken.map(({ k, symbol, v }) => `${k} ${symbol ?? '-'} ${v}`);
  expect(raw.map((one) => one['words']).sort()).toEqual(words.sort());
}

test(
  'every row is loaded, and creates what it names, as if it had come alone',
  async () => {
    const { db, folder } = scene;
    await forCases(50, randomLoad, async (drawn, name) => {
      const random = possible(drawn);
      // A further table with the id as its key takes no row without one.
      if (random.further === 'ids' && !random.key.includes('company')) return;
      await createTables(name, random);
      const job = jobOf(name, await writeFiles(name, random), random);
      const { report } = await load(db.url, job, {
        cwd: folder,
        ...(random.split ? { partBytesMin: 20 } : {}),
      });
      expect(report.error).toBeNull();
      const expected = expectedOf(random);
      expect(report.loads[0]?.totals.rejected).toBe(expected.rejected);
      const companies = await db.query(
        `select symbol, name, rating::text from ${name}_companies order by id`,
      );
      // Made in the order of the files, where they have more than their symbol.
      const [inOrder, words] = random.files.some(({ brings }) => brings.length > 0)
        ? [(all: object[]) => all, expected.companies]
        : [(all: object[]) => all.map((one) => JSON.stringify(one)).sort(), expected.companies];
      expect(inOrder(companies)).toEqual(inOrder([...words]));
      expect(report.loads[0]?.lookups).toEqual([
        { table: `public.${name}_companies`, created: expected.companies.length - 1 },
      ]);
      await expectTable(name, random, expected);
      await expectFurther(name, random, expected);
      const further = random.further === 'none' ? '' : `, ${name}_further`;
      await db.query(`drop table ${name}, ${name}_oracle, ${name}_companies${further}`);
    });
  },
  CASES_LIMIT_MS,
);
