import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OracleFile } from '../../tools/oracle.ts';
import { load } from '../support/load.ts';
import {
  CASES_LIMIT_MS,
  createTwins,
  expectAsOracle,
  forCases,
  jobOf,
  optionsOf,
  oracleOf,
  rowsIn,
} from '../support/promise.ts';
import { CASE_BLIND, csvOf, randomLoad, type RandomLoad } from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';

/**
 * The promise with a transform: the table ends as if the rows that the transform makes had been
 * upserted one by one, without those that it rejects, however batches, files and parts are cut.
 */
const scene = useScene(() => '', CASE_BLIND);

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

test(
  'holds for random tables, files, policies, strategies and transforms',
  async () => {
    const { db, folder } = scene;
    await forCases(60, fc.tuple(randomLoad, turning), async ([random, turn], table) => {
      const given = columnsOf(random).filter((_, place) => turn.columns.includes(place));
      if (given.length === 0) return;
      const next = Object.fromEntries(
        given.map(({ name, pool }) => [
          name,
          Object.fromEntries(pool.map((value, place) => [value, pool[(place + 1) % pool.length]])),
        ]),
      );
      await createTwins(db, table, random);
      const module = `${table}.mjs`;
      await writeFile(join(folder, module), moduleOf(given.map(({ name }) => name)));
      const { settings, loads } = jobOf(table, await writeFiles(table, random.files), random, {
        subBatchSize: turn.subBatchSize,
        onError: turn.fours === 'load' ? 'stop' : 'quarantine',
        rejects: join(folder, `${table}-rejects`),
      });
      const transform = { module, options: { next, fours: turn.fours } };
      const job = { settings, loads: loads.map((one) => ({ ...one, transform })) };
      const { report } = await load(db.url, job, optionsOf(folder, random));
      expect(report.error).toBeNull();
      const made = random.files.map((file) => madeOf(file, given, turn));
      await expectAsOracle(db, oracleOf(table, random), made);
      expect(report.loads[0]?.totals).toMatchObject({
        rowsRead: rowsIn(random.files),
        rejected: rowsIn(random.files) - rowsIn(made),
      });
      await db.query(`drop table ${table}, ${table}_oracle`);
    });
  },
  CASES_LIMIT_MS,
);

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

async function writeFiles(table: string, files: readonly OracleFile[]): Promise<string[]> {
  const written = files.map(async (file, place) => {
    const path = join(scene.folder, `${table}-${place}.csv`);
    await writeFile(path, csvOf(file));
    return path;
  });
  return Promise.all(written);
}
