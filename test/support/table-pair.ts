import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { OracleFile } from '../../tools/oracle.ts';
import type { Report } from '../../src/run/report-types.ts';
import type { LoadPlan } from '../../src/plan/plan-types.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { load } from './load.ts';
import { csvOf } from './random-load.ts';

/** A database and a folder for tests that load a table and compare it with its twin. */
export interface Workplace {
  readonly db: TestDatabase;
  readonly folder: string;
  remove(): Promise<void>;
}

/** What the tests of types ask of a load; the rest is as by default. */
export interface TestLoad {
  readonly table: string;
  readonly files: string[];
  readonly key?: string[];
  readonly onConflict?: 'update' | 'ignore' | 'newest' | 'append';
  readonly versionColumn?: string | null;
  readonly strategy?: 'auto' | 'full-parallel' | 'hybrid' | 'sequential' | 'partitioned';
  readonly csv?: object;
  readonly types?: Record<string, string>;
}

export async function createWorkplace(): Promise<Workplace> {
  const db = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'etl-types-'));
  // As the engine's own sessions have it.
  await db.query(`set timezone to 'UTC'`);
  return {
    db,
    folder,
    async remove() {
      await rm(folder, { recursive: true });
      await db.drop();
    },
  };
}

/** A table and its twin `…_oracle`, which plain SQL fills. */
export async function createTwice({ db }: Workplace, name: string, ddl: string): Promise<void> {
  await db.query(`create table ${name} ${ddl}; create table ${name}_oracle ${ddl}`);
}

/** Writes the files as CSV, in order of precedence, and returns their paths. */
export async function writeCsv(
  { folder }: Workplace,
  name: string,
  files: readonly OracleFile[],
): Promise<string[]> {
  const paths = files.map((_, place) => join(folder, `${name}-${place}.csv`));
  await Promise.all(files.map((file, place) => writeFile(paths[place] ?? '', csvOf(file))));
  return paths;
}

export interface Loaded {
  readonly report: Report;
  /** Of the first load. */
  readonly plan: LoadPlan;
}

/** Loads at concurrency 4, and returns what came of it, failures too. */
export async function tryLoad(
  { db, folder }: Workplace,
  loads: TestLoad[],
  settings: { timeZone?: string; concurrency?: number } = {},
): Promise<Loaded> {
  const job = { settings: { concurrency: 4, ...settings }, loads };
  const { plan, report } = await load(db.url, job, { cwd: folder });
  const [first] = plan.loads;
  if (first === undefined) throw new Error('a job has a load');
  return { plan: first, report };
}

/** Loads one table; it must succeed. */
export async function loadTable(
  place: Workplace,
  one: TestLoad,
  settings: { timeZone?: string; concurrency?: number } = {},
): Promise<Loaded> {
  const done = await tryLoad(place, [one], settings);
  expect(done.report.error).toBeNull();
  expect(done.report.status).toBe('loaded');
  return done;
}

/** Every value as text, so that a difference shows which; in the order of the rows' text. */
export async function rowsOf(
  { db }: Pick<Workplace, 'db'>,
  table: string,
): Promise<Record<string, string | null>[]> {
  const columns = await db.query<{ name: string }>(
    `select quote_ident(attname) as name from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
  const texts = columns.map(({ name }) => `${name}::text`).join(', ');
  return db.query(`select ${texts} from ${table} t order by t::text collate "C"`);
}

/** The message of a query that fails; null of one that does not. */
export async function messageOf(query: Promise<unknown>): Promise<string | null> {
  return query.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
