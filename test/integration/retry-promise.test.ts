import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import type { Report } from '../../src/run/report-types.ts';
import {
  loadSequentially,
  tableDigest,
  type OracleFile,
  type OracleRow,
} from '../../tools/oracle.ts';
import { correctRejects, goodRow, sequenceOf, withWholeFiles } from '../support/corrected-rows.ts';
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

interface Case {
  readonly random: RandomLoad;
  readonly bad: readonly (readonly BadRow[])[];
  /** Of each bad row: what makes its correction, and in which of two retries it is corrected. */
  readonly seeds: readonly { readonly seed: number; readonly round: 1 | 2 | 3 }[];
}

const CASES: fc.Arbitrary<Case> = randomLoad.map(withWholeFiles).chain((random) =>
  badRowsOf(random).chain((bad) =>
    fc
      .array(
        fc.record({
          seed: fc.integer({ min: 0, max: 500 }),
          round: fc.constantFrom<1 | 2 | 3>(1, 1, 2, 3),
        }),
        { minLength: bad.flat().length, maxLength: bad.flat().length },
      )
      .map((seeds) => ({ random, bad, seeds })),
  ),
);

/** The table ends as if the corrected rows had stood in their files from the first. */
describe('corrected rows', () => {
  let db: TestDatabase;
  let folder: string;
  let cases = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-retry-'));
    await db.query(
      `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       ${KNOWN_VERSIONS}`,
    );
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('take the precedence of what they correct, whatever is retried first', async () => {
    const property = fc.asyncProperty(CASES, async (one) => {
      const { random, bad, seeds } = one;
      const name = `case_${++cases}`;
      await createTable(name, random);
      const own = await mkdtemp(join(folder, 'files-'));
      const paths = random.files.map((_, place) => join(own, `${place}.csv`));
      for (const [place, file] of random.files.entries()) {
        await writeFile(paths[place] ?? '', csvWithBadRows(file, bad[place] ?? []));
      }
      const job = jobOf(name, paths, random);
      const parts = random.parts === null ? {} : { partBytesMin: random.parts.bytes };
      let { report } = await load(db.url, job, { cwd: own, ...parts });
      expect(report.error).toBeNull();
      const corrected = new Map<string, OracleRow>();
      for (const round of [1, 2] as const) {
        await correct(one, report, corrected, round);
        ({ report } = await load(db.url, job, { cwd: own, retryRejects: true }));
        expect([report.error, report.loads[0]?.totals.rejected]).toEqual([
          null,
          rejectedIn(report),
        ]);
        const effective = random.files.map((file, place) =>
          settled(file, bad[place] ?? [], (number) => corrected.get(`${place} ${number}`)),
        );
        const oracle = `${name}_oracle_${round}`;
        await createTable(oracle, random);
        await loadSequentially(
          (sql, params) => db.query(sql, params),
          oracleTable(oracle, random),
          effective,
        );
        const digest = async (table: string): Promise<unknown> =>
          (await db.query(tableDigest(table)))[0];
        expect(await digest(name)).toEqual(await digest(oracle));
        await db.query(`drop table ${oracle}`);
      }
      const options = { databaseUrl: db.url, wholeTable: false, cwd: own, log: silentLog };
      const { tables } = await verify(defineJob(job, own), { ...options, now: () => 0 });
      expect(tables[0]).toMatchObject({ equal: true, differences: [] });
      await db.query(`drop table ${name}`);
      expect(seeds.length).toBe(bad.flat().length);
    });
    await checkProperty('test/integration/retry-promise.test.ts', property, 40);
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

/** Corrects what waits for this round in the reject files that the report names. */
async function correct(
  { random, bad, seeds }: Case,
  report: Report,
  corrected: Map<string, OracleRow>,
  round: 1 | 2,
): Promise<void> {
  const before = bad.map((_, place) => bad.slice(0, place).flat().length);
  for (const [place, { rejects }] of (report.loads[0]?.files ?? []).entries()) {
    if (rejects === null) continue;
    const file = random.files[place] ?? { columns: [], rows: [] };
    const sequence = sequenceOf(file, bad[place] ?? []);
    await correctRejects(rejects, file.columns, (record) => {
      const number = sequence[record - 1];
      if (typeof number !== 'number') throw new Error(`record ${record} is a good one`);
      const seed = seeds[(before[place] ?? 0) + number];
      if (seed?.round !== round) return null;
      const row = goodRow(random, seed.seed);
      corrected.set(`${place} ${number}`, row);
      return row;
    });
  }
}

function rejectedIn(report: Report): number {
  return (report.loads[0]?.files ?? []).reduce((sum, file) => sum + (file.rejected ?? 0), 0);
}

/** The file without its bad rows, and with the corrected ones in their places. */
function settled(
  file: OracleFile,
  bad: readonly BadRow[],
  correctionOf: (number: number) => OracleRow | undefined,
): OracleFile {
  const rows = sequenceOf(file, bad).flatMap((item) =>
    typeof item === 'number' ? [correctionOf(item) ?? []].filter((row) => row.length > 0) : [item],
  );
  return { ...file, rows };
}

function jobOf(
  table: string,
  files: string[],
  { concurrency, parts, onConflict, strategy }: RandomLoad,
): Parameters<typeof load>[1] {
  const versionColumn = onConflict === 'newest' ? 'version' : null;
  return {
    settings: {
      ...{ concurrency, onError: 'quarantine', subBatchSize: 3 },
      ...(parts === null ? {} : { chunkSize: parts.rows }),
    },
    loads: [{ table, files, onConflict, strategy, versionColumn }],
  };
}

function oracleTable(table: string, random: RandomLoad): Parameters<typeof loadSequentially>[1] {
  return {
    table,
    columns: [...random.key, ...random.values].map((column) => column.name),
    key: random.key.map((column) => column.name),
    onConflict: random.onConflict,
    versionColumn: 'version',
  };
}
