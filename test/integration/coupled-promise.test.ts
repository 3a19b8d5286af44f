import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OracleFile, OracleRow } from '../../tools/oracle.ts';
import { load } from '../support/load.ts';
import { CASES_LIMIT_MS, expectEqualTwins, forCases } from '../support/promise.ts';
import { csvOf } from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';
import { sentDuring } from '../support/sent-statements.ts';

/**
 * A row that is refused because of a row of another key: which rows these are depends on all that come
 * before them, and must not depend on which files happen to be merged together.
 */
const scene = useScene(() => '');

const COLUMNS = ['k', 'code', 'v'];
const field = (values: readonly string[]): fc.Arbitrary<string | null> =>
  fc.option(fc.constantFrom(...values), { freq: 6, nil: null });
const row = fc.tuple(
  fc.constantFrom('1', '2', '3', '4', '5', '6'),
  field(['a', 'A', 'b', 'c', 'd']),
  field(['1', '2', '3']),
);
/** Small ones share a unit of work; how many do depends on the workers. */
const files: fc.Arbitrary<OracleFile[]> = fc.array(
  fc.array(row, { maxLength: 6 }).map((rows) => ({ columns: COLUMNS, rows })),
  { minLength: 1, maxLength: 9 },
);

/** Rows of a key hold the same code, so that the last of them may be written in the place of the first. */
const CODE_OF: Readonly<Record<string, string | null>> = {
  ...{ 1: 'a', 2: 'b', 3: 'A', 4: 'a', 5: null, 6: 'd' },
};

function settled(files: readonly OracleFile[]): OracleFile[] {
  const rows = (of: readonly OracleRow[]): OracleRow[] =>
    of.map(([key = null, , value = null]) => [key, CODE_OF[key ?? ''] ?? null, value]);
  return files.map((file) => ({ ...file, rows: rows(file.rows) }));
}

/** Of the table `%s`. */
const COUPLINGS = {
  'a unique column': 'alter table %s add unique (code)',
  'a unique index on an expression': 'create unique index on %s (lower(code))',
  'a partial unique index': 'create unique index on %s (code) where v > 1',
  'an exclusion': 'alter table %s add exclude (code with =)',
  'a unique constraint that is checked late': 'alter table %s add unique (code) deferrable',
};

describe('a table whose rows are tied together by', () => {
  it.each(Object.entries(COUPLINGS))(
    '%s takes the rows that a load row by row would take',
    async (_, ddl) => {
      const cases = fc.record({
        before: fc.array(row, { maxLength: 4 }),
        files: fc.oneof(files, files.map(settled)),
        concurrency: fc.integer({ min: 1, max: 4 }),
        onConflict: fc.constantFrom('update', 'update', 'ignore', 'newest'),
      });
      await forCases(
        20,
        cases,
        async ({ before, files: drawn, concurrency, onConflict }, table) => {
          const { db, folder } = scene;
          for (const name of [table, `${table}_oracle`]) {
            await db.query(
              `create table ${name} (k int primary key, code text, v int); ${ddl.replace('%s', name)}`,
            );
            await takeRows(name, [{ columns: COLUMNS, rows: before }], 'update');
          }
          const refused = await takeRows(`${table}_oracle`, drawn, onConflict);
          await mkdir(join(folder, table));
          for (const [place, file] of drawn.entries()) {
            await writeFile(join(folder, table, `${place}.csv`), csvOf(file));
          }
          const versionColumn = onConflict === 'newest' ? 'v' : null;
          const { report } = await load(
            db.url,
            {
              settings: { concurrency, onError: 'quarantine', rejects: join(folder, 'rejects') },
              loads: [{ table, files: [`${table}/*.csv`], onConflict, versionColumn }],
            },
            { cwd: folder },
          );
          expect(report.error).toBeNull();
          await expectEqualTwins(db, table);
          expect(report.loads[0]?.totals.rejected).toBe(refused);
          await db.query(`drop table ${table}, ${table}_oracle`);
        },
      );
    },
    CASES_LIMIT_MS,
  );
});

/** Row by row; the number of those that the table refuses. */
async function takeRows(
  table: string,
  files: readonly OracleFile[],
  onConflict: 'update' | 'ignore' | 'newest',
): Promise<number> {
  const policy = {
    update: 'do update set code = excluded.code, v = excluded.v',
    ignore: 'do nothing',
    newest: `do update set code = excluded.code, v = excluded.v
             where existing.v is null or excluded.v >= existing.v`,
  };
  const sql = `insert into ${table} as existing (k, code, v) values ($1, $2, $3)
               on conflict (k) ${policy[onConflict]}`;
  const rows: readonly OracleRow[] = files.flatMap((file) => file.rows);
  let refused = 0;
  for (const values of rows) {
    try {
      await scene.db.query(sql, values);
    } catch {
      refused += 1;
    }
  }
  return refused;
}

it.each(['first', 'further'])(
  'the %s table of several takes a value that an earlier row has freed',
  async (place) => {
    const { db, folder, table } = scene;
    await db.query(
      `create table ${table} (k int primary key, code text unique, v int);
       insert into ${table} values (1, 'a'), (2, 'b'), (3, 'c');
       create table ${table}_raw (k int, code text, v int)`,
    );
    await scene.write({ 'swaps.csv': 'k,code,v\n3,d,1\n2,c,1\n1,b,1\n2,e,2\n' });
    const raw = { table: `${table}_raw`, onConflict: 'append' } as const;
    const [own, other] = place === 'first' ? [{ table }, raw] : [raw, { table }];
    const job = { loads: [{ ...own, files: ['swaps.csv'], targets: [other] }] };
    const { report } = await load(db.url, job, { cwd: folder });
    expect(report.error).toBeNull();
    expect(await db.query(`select code, v from ${table} order by k`)).toEqual([
      { code: 'b', v: 1 },
      { code: 'e', v: 2 },
      { code: 'd', v: 1 },
    ]);
  },
);

describe('a file that brings each key twice is merged', () => {
  const KEPT = '1,a,1\n2,b,1\n1,a,2\n2,b,2\n';
  const MOVED = '1,a,1\n2,b,1\n1,c,2\n2,a,2\n';
  it.each([
    ['by one statement, where each key keeps its value', 'update', KEPT, ['1 a 2', '2 b 2'], 0],
    ['by one statement, the first rows alone', 'ignore', MOVED, ['1 a 1', '2 b 1'], 0],
    ['by one statement, where versions decide', 'newest', KEPT, ['1 a 2', '2 b 2'], 0],
    ['stretch by stretch, where a value moves on', 'update', MOVED, ['1 c 2', '2 a 2'], 1],
    ['stretch by stretch, where columns have policies', 'compare', KEPT, ['1 a 2', '2 b 2'], 1],
  ] as const)('%s', async (_, how, rows, left, loops) => {
    const { db, folder, table } = scene;
    await db.query(`create table ${table} (k int primary key, code text unique, v int)`);
    await scene.write({ 'a.csv': `k,code,v\n${rows}` });
    const of =
      how === 'compare'
        ? { compare: ['v'] }
        : { onConflict: how, versionColumn: how === 'newest' ? 'v' : null };
    const { ended, statements } = await sentDuring(() =>
      load(db.url, { loads: [{ table, files: ['a.csv'], ...of }] }, { cwd: folder }),
    );
    expect(ended.report.error).toBeNull();
    expect(statements.filter((sql) => sql.startsWith('do $etl$\n'))).toHaveLength(loops);
    const found = await db.query(
      `select concat_ws(' ', k, code, v) as row from ${table} order by k`,
    );
    expect(found.map(({ row }) => row)).toEqual(left);
  });
});
