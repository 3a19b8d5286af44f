import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { OracleFile } from '../../tools/oracle.ts';
import type { LoadReport } from '../../src/run/report-types.ts';
import { load } from '../support/load.ts';
import {
  CASES_LIMIT_MS,
  expectAsOracle,
  expectEqualTwins,
  forCases,
  rowsIn,
} from '../support/promise.ts';
import {
  CASE_BLIND,
  csvOf,
  randomLoad,
  type RandomColumn,
  type RandomLoad,
} from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';

/** A further table: some columns of the files under names of its own, and a policy of its own. */
interface Further {
  /** How many of the key columns are its key. */
  readonly keys: number;
  readonly onConflict: 'update' | 'ignore' | 'append';
  /** By value column of the load: whether the table takes it, and whether as text. */
  readonly takes: readonly ('as it is' | 'as text' | 'not')[];
  /** Only rows of these versions; null: all. */
  readonly versions: readonly string[] | null;
}

const further: fc.Arbitrary<Further> = fc.record({
  keys: fc.integer({ min: 1, max: 3 }),
  onConflict: fc.constantFrom('update', 'ignore', 'append'),
  takes: fc.array(fc.constantFrom('as it is', 'as it is', 'as text', 'not'), {
    minLength: 5,
    maxLength: 5,
  }),
  versions: fc.option(fc.subarray(['1', '2', '3', '4']), { freq: 3, nil: null }),
});

/** Each table of a load with several ends as the oracle's, which loads it alone. */
const scene = useScene(() => '', CASE_BLIND);

it(
  'holds for random tables, files, policies, conditions, strategies and concurrency',
  async () => {
    const { db, folder } = scene;
    const tables = fc.array(further, { minLength: 1, maxLength: 3 });
    await forCases(60, fc.tuple(randomLoad, tables), async ([random, targets], name) => {
      const all = [
        ownTable(name, random),
        ...targets.map((one, at) => furtherTable(name, at, random, one)),
      ];
      for (const table of all) await createTwins(table);
      const { concurrency, onConflict } = random;
      const own = {
        ...{ table: name, files: await writeFiles(name, random), onConflict },
        strategy: random.strategy === 'partitioned' ? ('auto' as const) : random.strategy,
        versionColumn: onConflict === 'newest' ? 'version' : null,
      };
      const others = all.slice(1).map(({ table, columns, where, onConflict: policy }) => {
        return { table, onConflict: policy as Further['onConflict'], columns, where };
      });
      const job = { settings: { concurrency }, loads: [{ ...own, targets: others }] };
      const { report } = await load(db.url, job, { cwd: folder });
      expect([report.error, report.status]).toEqual([null, 'loaded']);
      for (const { table, declared, key, onConflict: policy, versionColumn, project } of all) {
        const columns = declared.map((column) => column.name);
        const target = { table, columns, key, onConflict: policy, versionColumn };
        await expectAsOracle(db, target, random.files.map(project));
      }
      expectAllBalanced(report.loads[0], random);
      await db.query(
        `drop table ${all.map(({ table }) => `${table}, ${table}_oracle`).join(', ')}`,
      );
    });
  },
  CASES_LIMIT_MS,
);

async function createTwins({ table, key, declared }: Table): Promise<void> {
  const primary = key.length === 0 ? '' : `, primary key (${key.join(', ')})`;
  const columns = declared.map(({ name, sqlType }) => `${name} ${sqlType}`).join(', ');
  for (const name of [table, `${table}_oracle`]) {
    await scene.db.query(`create table ${name} (${columns}${primary})`);
  }
}

async function writeFiles(name: string, random: RandomLoad): Promise<string[]> {
  const written = random.files.map(async (file, place) => {
    const path = join(scene.folder, `${name}-${place}.csv`);
    await writeFile(path, csvOf(file));
    return path;
  });
  return Promise.all(written);
}

const file = fc.array(
  fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'x'), n: fc.integer({ min: 0, max: 9 }) }),
  { maxLength: 8 },
);
const loadsWithBadRows = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 5 }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  strategy: fc.constantFrom('auto', 'full-parallel', 'hybrid', 'sequential'),
  onConflict: fc.constantFrom('update', 'ignore'),
});

it(
  'holds with a quarantine: a row that any table refuses is in none',
  async () => {
    const { db, folder } = scene;
    await db.query(`create table parents (name text primary key);
                  insert into parents values ('a'), ('b'), ('c'), ('d')`);
    await forCases(40, loadsWithBadRows, async (random, name) => {
      const { files, concurrency, strategy, onConflict } = random;
      for (const suffix of ['', '_oracle']) {
        await db.query(
          `drop table if exists log${suffix}, names${suffix};
         create table log${suffix} (name text, n int check (n <> 3));
         create table names${suffix} (
           name text primary key references parents, n int check (n <> 7))`,
        );
      }
      const paths = files.map((_, place) => `${name}-${place}.csv`);
      for (const [place, rows] of files.entries()) {
        const text = ['name,n', ...rows.map((row) => `${row.name},${row.n}`), ''].join('\n');
        await writeFile(join(folder, paths[place] ?? ''), text);
      }
      const own = { table: 'log', onConflict: 'append', files: paths, strategy } as const;
      const settings = { concurrency, onError: 'quarantine', rejects: name } as const;
      const loads = [{ ...own, targets: [{ table: 'names', onConflict }] }];
      const { report } = await load(db.url, { settings, loads }, { cwd: folder });
      expect(report.error).toBeNull();
      let rejected = 0;
      for (const row of files.flat()) rejected += (await oracleTakes(row, onConflict)) ? 0 : 1;
      expect(report.loads[0]?.totals.rejected).toBe(rejected);
      for (const table of ['log', 'names']) await expectEqualTwins(db, table);
    });
  },
  CASES_LIMIT_MS,
);

/** One row into both tables, or into none. */
async function oracleTakes(
  { name, n }: { readonly name: string; readonly n: number },
  onConflict: 'update' | 'ignore',
): Promise<boolean> {
  const conflict = onConflict === 'ignore' ? 'nothing' : 'update set n = excluded.n';
  // By the meaning of the constraints: with `ignore`, a row that stays out would be asked nothing.
  const [row] = await scene.db.query<{ good: boolean }>(
    `select ${n} <> 3 and ${n} <> 7 and exists (select from parents where name = '${name}') as good`,
  );
  if (row?.good !== true) return false;
  await scene.db.query(
    `insert into log_oracle values ('${name}', ${n});
     insert into names_oracle values ('${name}', ${n}) on conflict (name) do ${conflict}`,
  );
  return true;
}

/** A table of a load, and what of each file the oracle is to load into it. */
interface Table {
  readonly table: string;
  readonly declared: readonly Pick<RandomColumn, 'name' | 'sqlType'>[];
  readonly key: readonly string[];
  readonly onConflict: RandomLoad['onConflict'];
  readonly versionColumn: string | null;
  readonly columns: Readonly<Record<string, string | null>>;
  readonly where: string | null;
  readonly project: (file: OracleFile) => OracleFile;
}

function ownTable(table: string, { key, values, onConflict }: RandomLoad): Table {
  return {
    table,
    declared: [...key, ...values],
    key: onConflict === 'append' ? [] : key.map(({ name }) => name),
    onConflict,
    versionColumn: 'version',
    columns: {},
    where: null,
    project: (file) => file,
  };
}

function furtherTable(
  name: string,
  place: number,
  { key, values, files }: RandomLoad,
  { keys, onConflict, takes, versions }: Further,
): Table {
  const brought = new Set(files.flatMap((file) => file.columns));
  const own = key.slice(0, keys);
  const columns: Record<string, string | null> = {};
  for (const { name: column } of key) columns[column] = null;
  for (const { name: column } of own) columns[column] = `own_${column}`;
  const declared = own.map(({ name: column, sqlType }) => ({ name: `own_${column}`, sqlType }));
  values.forEach(({ name: column, sqlType }, at) => {
    const takesIt = takes[at % takes.length] ?? 'not';
    columns[column] = takesIt === 'not' ? null : `own_${column}`;
    if (takesIt === 'not') return;
    declared.push({ name: `own_${column}`, sqlType: takesIt === 'as text' ? 'text' : sqlType });
  });
  const where = versions === null ? null : `version in (${['0', ...versions].join(', ')})`;
  return {
    table: `${name}_further_${place}`,
    declared,
    key: onConflict === 'append' ? [] : own.map(({ name: column }) => `own_${column}`),
    onConflict,
    versionColumn: null,
    columns: Object.fromEntries(Object.entries(columns).filter(([column]) => brought.has(column))),
    where,
    project: (file) => projected(file, columns, versions),
  };
}

function projected(
  file: OracleFile,
  columns: Table['columns'],
  versions: readonly string[] | null,
): OracleFile {
  const version = file.columns.indexOf('version');
  const taken = file.columns.flatMap((name, place) => {
    const column = columns[name] ?? null;
    return column === null ? [] : [{ column, place }];
  });
  return {
    columns: taken.map(({ column }) => column),
    rows: file.rows
      .filter((row) => versions === null || versions.includes(row[version] ?? ''))
      .map((row) => taken.map(({ place }) => row[place] ?? null)),
  };
}

function expectAllBalanced(load: LoadReport | undefined, { files }: RandomLoad): void {
  const rows = rowsIn(files);
  expect(load?.totals.rowsRead).toBe(rows);
  for (const target of load?.targets ?? []) {
    const { inserted, updated, unchanged, superseded, filtered } = target;
    const counts = [inserted, updated, unchanged, superseded, filtered];
    expect(counts.reduce<number>((sum, count) => sum + (count ?? NaN), 0)).toBe(rows);
  }
}
