import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSequentially, tableDigest } from '../../tools/oracle.ts';
import type { Counts } from '../../src/target/counts.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { load } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';
import { csvOf, randomLoad, type RandomLoad } from '../support/random-load.ts';

/** The promise: whatever the strategy and the concurrency, the table ends as the oracle's. */
describe('the promise', () => {
  let db: TestDatabase;
  let folder: string;
  let cases = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-promise-'));
    await db.query(
      `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    );
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('holds for random tables, files, policies, strategies and concurrency', async () => {
    const property = fc.asyncProperty(randomLoad, async (random) => {
      const name = `case_${++cases}`;
      await createTable(name, random);
      await createTable(`${name}_oracle`, random);
      const paths = await writeFiles(name, random);
      const { report } = await load(
        db.url,
        {
          settings: {
            concurrency: random.concurrency,
            ...(random.parts === null ? {} : { chunkSize: random.parts.rows }),
          },
          loads: [
            {
              table: name,
              files: paths,
              onConflict: random.onConflict,
              strategy: random.strategy,
              versionColumn: random.onConflict === 'newest' ? 'version' : null,
            },
          ],
        },
        {
          cwd: folder,
          ...(random.parts === null ? {} : { partBytesMin: random.parts.bytes }),
        },
      );
      expect(report.error).toBeNull();
      expect(report.status).toBe('loaded');
      await loadOracle(`${name}_oracle`, random);
      const [engine] = await db.query(tableDigest(name));
      const [oracle] = await db.query(tableDigest(`${name}_oracle`));
      expect(engine).toEqual(oracle);
      expectBalanced(report.loads[0]?.totals, random);
      await db.query(`drop table ${name}, ${name}_oracle`);
    });
    await checkProperty('test/integration/promise.test.ts', property, 120);
    await expectNoLeaks(db.url);
  }, 300_000);

  async function createTable(name: string, random: RandomLoad): Promise<void> {
    const columns = [...random.key, ...random.values].map(
      (column) => `${column.name} ${column.sqlType}`,
    );
    const key = random.key.map((column) => column.name).join(', ');
    const constraint = random.onConflict === 'append' ? [] : [`primary key (${key})`];
    await db.query(`create table ${name} (${[...columns, ...constraint].join(', ')})`);
    await loadSequentially((sql, params) => db.query(sql, params), oracleTable(name, random), [
      random.before,
    ]);
  }

  async function loadOracle(name: string, random: RandomLoad): Promise<void> {
    const execute = (sql: string, params: readonly unknown[]) => db.query(sql, params);
    await loadSequentially(execute, oracleTable(name, random), random.files);
  }

  async function writeFiles(name: string, random: RandomLoad): Promise<string[]> {
    const paths = random.files.map((_, place) => join(folder, `${name}-${place}.csv`));
    await Promise.all(
      random.files.map((file, place) => writeFile(paths[place] ?? '', csvOf(file))),
    );
    return paths;
  }
});

function oracleTable(name: string, random: RandomLoad): Parameters<typeof loadSequentially>[1] {
  return {
    table: name,
    columns: [...random.key, ...random.values].map((column) => column.name),
    key: random.key.map((column) => column.name),
    onConflict: random.onConflict,
    versionColumn: 'version',
  };
}

function expectBalanced(totals: Counts | undefined, random: RandomLoad): void {
  const rows = random.files.reduce((sum, file) => sum + file.rows.length, 0);
  expect(totals?.rowsRead).toBe(rows);
  const { inserted = 0, updated = 0, unchanged = 0, superseded = 0, rejected = 0 } = totals ?? {};
  expect(inserted + updated + unchanged + superseded + rejected).toBe(rows);
}
