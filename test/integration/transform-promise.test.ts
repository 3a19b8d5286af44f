import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSequentially, tableDigest, type OracleFile } from '../../tools/oracle.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { load } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';
import { csvOf, randomLoad, type RandomLoad } from '../support/random-load.ts';

/**
 * The promise with a transform: the table ends as if the rows that the transform makes had been
 * upserted one by one, without those that it rejects, however batches, files and parts are cut.
 */
let db: TestDatabase;
let folder: string;

beforeAll(async () => {
  db = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'etl-transform-'));
  await db.query(
    `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await db.drop();
});

/** What is asked of the transform: some columns get the next value of their pool. */
interface Turning {
  /** Places among all columns, the key's among them. */
  readonly columns: readonly number[];
  /** What happens to rows of version 4. */
  readonly fours: 'load' | 'reject' | 'throw';
  readonly subBatchSize: number;
}

const turning: fc.Arbitrary<Turning> = fc.record({
  columns: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 4 }),
  fours: fc.constantFrom('load', 'reject', 'throw'),
  subBatchSize: fc.integer({ min: 1, max: 6 }),
});

/** The module is told which value follows which; that, the oracle works out for itself. */
const moduleOf = (names: readonly string[]): string => `
  const names = ${JSON.stringify(names)};
  const turned = (row, next) => Object.fromEntries(
    names.map((name) => [name, row[name] == null ? null : next[name][row[name]]]),
  );
  export default {
    columns: names,
    setUp: (options) => options,
    async transform(rows, { next, fours }, { reject }) {
      if (fours === 'throw' && rows.some(({ version }) => version === '4')) throw new Error('four');
      return rows.map((row) =>
        fours === 'reject' && row.version === '4' ? reject('four') : turned(row, next),
      );
    },
  };`;

test('holds for random tables, files, policies, strategies and transforms', async () => {
  let cases = 0;
  const property = fc.asyncProperty(randomLoad, turning, async (random, turn) => {
    const table = `case_${++cases}`;
    const given = columnsOf(random).filter((_, place) => turn.columns.includes(place));
    if (given.length === 0) return;
    const next = Object.fromEntries(
      given.map(({ name, pool }) => [
        name,
        Object.fromEntries(pool.map((value, place) => [value, pool[(place + 1) % pool.length]])),
      ]),
    );
    await createTables(table, random);
    const module = `${table}.mjs`;
    await writeFile(join(folder, module), moduleOf(given.map(({ name }) => name)));
    const { report } = await load(
      db.url,
      {
        settings: {
          concurrency: random.concurrency,
          subBatchSize: turn.subBatchSize,
          onError: turn.fours === 'load' ? 'stop' : 'quarantine',
          rejects: join(folder, `${table}-rejects`),
          ...(random.parts === null ? {} : { chunkSize: random.parts.rows }),
        },
        loads: [
          {
            table,
            files: await writeFiles(table, random.files),
            onConflict: random.onConflict,
            strategy: random.strategy,
            versionColumn: random.onConflict === 'newest' ? 'version' : null,
            transform: { module, options: { next, fours: turn.fours } },
          },
        ],
      },
      { cwd: folder, ...(random.parts === null ? {} : { partBytesMin: random.parts.bytes }) },
    );
    expect(report.error).toBeNull();
    const made = random.files.map((file) => madeOf(file, given, turn));
    await loadSequentially((sql, params) => db.query(sql, params), oracleOf(table, random), made);
    const [engine] = await db.query(tableDigest(table));
    const [oracle] = await db.query(tableDigest(`${table}_oracle`));
    expect(engine).toEqual(oracle);
    const rows = (files: readonly OracleFile[]): number =>
      files.reduce((sum, file) => sum + file.rows.length, 0);
    expect(report.loads[0]?.totals).toMatchObject({
      rowsRead: rows(random.files),
      rejected: rows(random.files) - rows(made),
    });
    await db.query(`drop table ${table}, ${table}_oracle`);
  });
  await checkProperty('test/integration/transform-promise.test.ts', property, 60);
  await expectNoLeaks(db.url);
}, 300_000);

function columnsOf({ key, values }: RandomLoad): RandomLoad['key'] {
  return [...key, ...values];
}

/** The rows that are to be upserted: by places in the pools, and not by the module's table. */
function madeOf(file: OracleFile, given: RandomLoad['key'], { fours }: Turning): OracleFile {
  const version = file.columns.indexOf('version');
  const added = given.filter(({ name }) => !file.columns.includes(name));
  const kept = file.rows.filter((row) => fours === 'load' || row[version] !== '4');
  return {
    columns: [...file.columns, ...added.map(({ name }) => name)],
    rows: kept.map((row) => [
      ...row.map((value, place) => {
        const pool = given.find(({ name }) => name === file.columns[place])?.pool;
        if (value === null || pool === undefined) return value;
        return [...pool, ...pool][pool.indexOf(value) + 1] ?? null;
      }),
      ...added.map(() => null),
    ]),
  };
}

async function createTables(table: string, random: RandomLoad): Promise<void> {
  const columns = columnsOf(random).map(({ name, sqlType }) => `${name} ${sqlType}`);
  const key = random.key.map(({ name }) => name).join(', ');
  const constraint = random.onConflict === 'append' ? [] : [`primary key (${key})`];
  const ddl = `(${[...columns, ...constraint].join(', ')})`;
  await db.query(`create table ${table} ${ddl}; create table ${table}_oracle ${ddl}`);
  const execute = (sql: string, params: readonly unknown[]) => db.query(sql, params);
  for (const own of [oracleOf(table, random), { ...oracleOf(table, random), table }]) {
    await loadSequentially(execute, own, [random.before]);
  }
}

function oracleOf(table: string, random: RandomLoad): Parameters<typeof loadSequentially>[1] {
  return {
    table: `${table}_oracle`,
    columns: columnsOf(random).map(({ name }) => name),
    key: random.key.map(({ name }) => name),
    onConflict: random.onConflict,
    versionColumn: 'version',
  };
}

async function writeFiles(table: string, files: readonly OracleFile[]): Promise<string[]> {
  const written = files.map(async (file, place) => {
    const path = join(folder, `${table}-${place}.csv`);
    await writeFile(path, csvOf(file));
    return path;
  });
  return Promise.all(written);
}
