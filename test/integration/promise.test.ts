import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSequentially, tableDigest } from '../../tools/oracle.ts';
import type { Counts } from '../../src/target/counts.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { planJob, runPlan } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';
import {
  asJsonSaysIt,
  formatOf,
  jsonOf,
  randomFormats,
  type RandomFormat,
} from '../support/random-json.ts';
import { csvOf, randomLoad, type RandomLoad } from '../support/random-load.ts';
import { withWindows } from '../support/random-windows.ts';

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
    const property = fc.asyncProperty(randomLoad, randomFormats, async (drawn, formats) => {
      const random = asJsonSaysIt(drawn, formats);
      const name = `case_${++cases}`;
      await createTable(name, random);
      await createTable(`${name}_oracle`, random);
      const paths = await writeFiles(name, random, formats);
      const options = {
        cwd: folder,
        ...(random.parts === null ? {} : { partBytesMin: random.parts.bytes }),
      };
      const plan = await planJob(
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
        options,
      );
      const run = random.windows ? await withWindows(db, plan, random) : plan;
      const report = await runPlan(db.url, run, {});
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

  async function writeFiles(
    name: string,
    random: RandomLoad,
    formats: readonly RandomFormat[],
  ): Promise<string[]> {
    const written = random.files.map(async (file, place) => {
      const format = formatOf(random, formats, place);
      const path = join(folder, `${name}-${place}.${format}`);
      await writeFile(path, format === 'csv' ? csvOf(file) : jsonOf(random, file, format));
      return path;
    });
    return Promise.all(written);
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
