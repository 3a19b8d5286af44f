import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSequentially, tableDigest, type OracleTable } from '../../tools/oracle.ts';
import type { LoadReport } from '../../src/run/report-types.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { load } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';
import {
  badRowsOf,
  csvWithBadRows,
  KNOWN_VERSIONS,
  VERSION_CONSTRAINTS,
  type BadRow,
} from '../support/random-bad-rows.ts';
import { randomLoad, type RandomLoad } from '../support/random-load.ts';
import { readRejects } from '../support/rejects.ts';

interface Case {
  readonly random: RandomLoad;
  readonly bad: readonly (readonly BadRow[])[];
}

/** The promise where bad rows are put aside: the table ends as the oracle's, which gets only the others. */
describe('the promise with a quarantine', () => {
  let db: TestDatabase;
  let folder: string;
  let cases = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-quarantine-'));
    await db.query(
      `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       ${KNOWN_VERSIONS}`,
    );
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('holds for random files with bad rows of each kind', async () => {
    const withBad = randomLoad.chain((random) =>
      badRowsOf(random).map((bad): Case => ({ random, bad })),
    );
    const property = fc.asyncProperty(withBad, async ({ random, bad }) => {
      const name = `case_${++cases}`;
      await createTable(name, random);
      await createTable(`${name}_oracle`, random);
      const own = await mkdtemp(join(folder, 'files-'));
      const paths = random.files.map((_, place) => join(own, `${place}.csv`));
      for (const [place, file] of random.files.entries()) {
        await writeFile(paths[place] ?? '', csvWithBadRows(file, bad[place] ?? []));
      }
      const { report } = await load(db.url, jobOf(name, paths, random), {
        cwd: own,
        ...(random.parts === null ? {} : { partBytesMin: random.parts.bytes }),
      });
      expect(report.error).toBeNull();
      const target = oracleTable(`${name}_oracle`, random);
      await loadSequentially((sql, params) => db.query(sql, params), target, random.files);
      const [engine] = await db.query(tableDigest(name));
      const [oracle] = await db.query(tableDigest(`${name}_oracle`));
      expect(engine).toEqual(oracle);
      await expectRejected(report.loads[0], random, bad, join(own, 'rejects'));
      await db.query(`drop table ${name}, ${name}_oracle`);
    });
    await checkProperty('test/integration/quarantine-promise.test.ts', property, 80);
    await expectNoLeaks(db.url);
  }, 300_000);

  async function createTable(name: string, random: RandomLoad): Promise<void> {
    const columns = [...random.key, ...random.values].map(
      (column) => `${column.name} ${column.sqlType}`,
    );
    const key = random.key.map((column) => column.name);
    const constraint =
      random.onConflict === 'append'
        ? key.map((column) => `check (${column} is not null)`)
        : [`primary key (${key.join(', ')})`];
    await db.query(
      `create table ${name} (${[...columns, ...constraint, VERSION_CONSTRAINTS].join(', ')})`,
    );
    await loadSequentially((sql, params) => db.query(sql, params), oracleTable(name, random), [
      random.before,
    ]);
  }
});

function jobOf(
  table: string,
  files: string[],
  { concurrency, parts, onConflict, strategy }: RandomLoad,
): Parameters<typeof load>[1] {
  return {
    settings: {
      concurrency,
      onError: 'quarantine',
      subBatchSize: 3,
      ...(parts === null ? {} : { chunkSize: parts.rows }),
    },
    loads: [
      {
        table,
        files,
        onConflict,
        strategy,
        versionColumn: onConflict === 'newest' ? 'version' : null,
      },
    ],
  };
}

function oracleTable(table: string, random: RandomLoad): OracleTable {
  return {
    table,
    columns: [...random.key, ...random.values].map((column) => column.name),
    key: random.key.map((column) => column.name),
    onConflict: random.onConflict,
    versionColumn: 'version',
  };
}

/** Every row is counted once, each file has its rejected rows, and these are the bad ones. */
async function expectRejected(
  load: LoadReport | undefined,
  random: RandomLoad,
  bad: Case['bad'],
  folder: string,
): Promise<void> {
  const rows = random.files.reduce((sum, file) => sum + file.rows.length, 0) + bad.flat().length;
  const {
    inserted = 0,
    updated = 0,
    unchanged = 0,
    superseded = 0,
    rejected = 0,
  } = load?.totals ?? {};
  expect(load?.totals.rowsRead).toBe(rows);
  expect(inserted + updated + unchanged + superseded + rejected).toBe(rows);
  const certain = bad.flat().filter(({ kind }) => !['check', 'foreign key'].includes(kind)).length;
  expect(rejected).toBeGreaterThanOrEqual(certain);
  expect(rejected).toBeLessThanOrEqual(bad.flat().length);
  let held = 0;
  for (const [place, file] of (load?.files ?? []).entries()) {
    const count = file.rejected ?? 0;
    held += count;
    expect(count).toBeLessThanOrEqual(bad[place]?.length ?? 0);
    expect(file.rejects === null).toBe(count === 0);
    if (file.rejects !== null) expect(await readRejects(file.rejects)).toHaveLength(count);
  }
  expect(held).toBe(rejected);
  const left = await readdir(folder).catch(() => []);
  expect(left.filter((name) => !name.endsWith('.rejects.csv'))).toEqual([]);
  expect(left.length > 0).toBe(rejected > 0);
}
