import { relative } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { tableDigest, type OracleFile, type OracleTable } from '../../tools/oracle.ts';
import type { JobInput } from '../../src/job/define-job.ts';
import type { Counts } from '../../src/target/counts.ts';
import { loadInBatches } from './batched-oracle.ts';
import type { TestDatabase } from './database.ts';
import type { LoadOptions } from './load.ts';
import { checkProperty } from './property.ts';
import type { RandomLoad } from './random-load.ts';

/**
 * What tests of the promise share: random loads go into a table by the engine, and into its twin,
 * `<table>_oracle`, row by row in plain SQL; then both must hold the same.
 */

/**
 * The limit of the tests that draw cases. Nothing in a case waits without an end: 120 of them took
 * 12 s of the client's CPU, and 134 s beside twelve other processes on one processor.
 */
export const CASES_LIMIT_MS = 900_000;

/** Checks each of `runs` random cases under a table name of its own. */
export async function forCases<T>(
  runs: number,
  cases: fc.Arbitrary<T>,
  check: (drawn: T, table: string) => Promise<void>,
): Promise<void> {
  const file = relative(process.cwd(), expect.getState().testPath ?? '');
  let drawn = 0;
  const property = fc.asyncProperty(cases, (one) => check(one, `case_${++drawn}`));
  await checkProperty(file, property, runs);
}

/** What a random load says of its columns and its policy. */
type Shape = Pick<RandomLoad, 'key' | 'values' | 'onConflict'> &
  Partial<Pick<OracleTable, 'insertOnly' | 'compare'>>;

/** A table and its twin, with the rows that are there before. */
export async function createTwins(
  db: TestDatabase,
  table: string,
  random: Shape & Pick<RandomLoad, 'before'>,
  constraints: readonly string[] = [],
): Promise<void> {
  for (const name of [table, `${table}_oracle`]) await createTable(db, name, random, constraints);
}

export async function createTable(
  db: TestDatabase,
  table: string,
  random: Shape & Pick<RandomLoad, 'before'>,
  constraints: readonly string[] = [],
): Promise<void> {
  const { key, columns } = oracleOf(table, random);
  const types = new Map([...random.key, ...random.values].map((one) => [one.name, one.sqlType]));
  const elements = [
    ...columns.map((name) => `${name} ${types.get(name) ?? ''}`),
    ...(random.onConflict === 'append' ? [] : [`primary key (${key.join(', ')})`]),
    ...constraints,
  ];
  await db.query(`create table ${table} (${elements.join(', ')})`);
  await loadInBatches(db, oracleOf(table, random), [random.before]);
}

/** How the oracle loads a table of these columns. */
export function oracleOf(table: string, random: Shape): OracleTable {
  const { key, values, onConflict, insertOnly = [], compare = [] } = random;
  return {
    table,
    columns: [...key, ...values].map(({ name }) => name),
    key: key.map(({ name }) => name),
    onConflict,
    versionColumn: 'version',
    insertOnly,
    ...(compare.length === 0 ? {} : { compare }),
  };
}

/** Fills the twin of a table that is loaded with what these files hold; both must be equal then. */
export async function expectAsOracle(
  db: TestDatabase,
  target: OracleTable,
  files: readonly OracleFile[],
): Promise<void> {
  await loadInBatches(db, { ...target, table: `${target.table}_oracle` }, files);
  await expectEqualTwins(db, target.table);
}

export async function expectEqualTwins(db: TestDatabase, table: string): Promise<void> {
  const [engine] = await db.query(tableDigest(table));
  const [oracle] = await db.query(tableDigest(`${table}_oracle`));
  expect({ table, ...engine }).toEqual({ table, ...oracle });
}

/** The job of a random load, of files that are written. */
export function jobOf(
  table: string,
  files: readonly string[],
  random: Pick<RandomLoad, 'concurrency' | 'parts' | 'onConflict' | 'strategy'>,
  settings: NonNullable<JobInput['settings']> = {},
): JobInput {
  const { concurrency, parts, onConflict, strategy } = random;
  const versionColumn = onConflict === 'newest' ? 'version' : null;
  return {
    settings: { concurrency, ...(parts === null ? {} : { chunkSize: parts.rows }), ...settings },
    loads: [{ table, files: [...files], onConflict, strategy, versionColumn }],
  };
}

export function optionsOf(cwd: string, { parts }: Pick<RandomLoad, 'parts'>): LoadOptions {
  return { cwd, ...(parts === null ? {} : { partBytesMin: parts.bytes }) };
}

/** Every row that was read is counted once. */
export function expectBalanced(totals: Counts | undefined, rows: number): void {
  expect(totals?.rowsRead).toBe(rows);
  const { inserted = 0, updated = 0, unchanged = 0, superseded = 0, rejected = 0 } = totals ?? {};
  expect(inserted + updated + unchanged + superseded + rejected).toBe(rows);
}

export function rowsIn(files: readonly OracleFile[]): number {
  return files.reduce((sum, file) => sum + file.rows.length, 0);
}
