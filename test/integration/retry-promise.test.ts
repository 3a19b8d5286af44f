import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob, type JobInput } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import type { Report } from '../../src/run/report-types.ts';
import type { OracleFile, OracleRow } from '../../tools/oracle.ts';
import { correctRejects, goodRow, sequenceOf, withWholeFiles } from '../support/corrected-rows.ts';
import { load } from '../support/load.ts';
import {
  CASES_LIMIT_MS,
  createTable,
  expectAsOracle,
  forCases,
  jobOf,
  optionsOf,
  oracleOf,
} from '../support/promise.ts';
import {
  badRowsOf,
  constraintsOf,
  csvWithBadRows,
  KNOWN_VERSIONS,
  type BadRow,
} from '../support/random-bad-rows.ts';
import { CASE_BLIND, randomLoad, type RandomLoad } from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';

interface Case {
  readonly random: RandomLoad;
  readonly bad: readonly (readonly BadRow[])[];
  /** Of each bad row: what makes its correction, and in which of two retries it is corrected. */
  readonly seeds: readonly { readonly seed: number; readonly round: 1 | 2 | 3 }[];
  /** A table that takes the rows, or those of some versions, too; null: there is none. */
  readonly further: Further | null;
}

/** Its policy is its own, and its key the first column of the load's. */
interface Further {
  readonly rows: 'all' | 'some';
  readonly onConflict: RandomLoad['onConflict'];
}

const further: fc.Arbitrary<Further> = fc.record({
  rows: fc.constantFrom('all', 'some'),
  onConflict: fc.constantFrom('append', 'update', 'ignore', 'newest'),
});

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
      .chain((seeds) =>
        fc
          .option(further, { freq: 2 })
          .map((drawn) => ({ random: mergeable(random, drawn), bad, seeds, further: drawn })),
      ),
  ),
);

/** Only a merge of whole files writes several tables. */
function mergeable(random: RandomLoad, drawn: Further | null): RandomLoad {
  const { strategy } = random;
  return { ...random, strategy: drawn !== null && strategy === 'partitioned' ? 'auto' : strategy };
}

/** The table ends as if the corrected rows had stood in their files from the first. */
const scene = useScene(() => '', `${CASE_BLIND}${KNOWN_VERSIONS}`);

it(
  'corrected rows take the precedence of what they correct, whatever is retried first',
  async () => {
    const { db, folder } = scene;
    await forCases(40, CASES, async (one, table) => {
      const { random, bad, seeds } = one;
      const constraints = constraintsOf(random);
      await createTable(db, table, random, constraints);
      const own = await mkdtemp(join(folder, 'files-'));
      const paths = random.files.map((_, place) => join(own, `${place}.csv`));
      for (const [place, file] of random.files.entries()) {
        await writeFile(paths[place] ?? '', csvWithBadRows(file, bad[place] ?? []));
      }
      const asked = jobOf(table, paths, random, { onError: 'quarantine', subBatchSize: 3 });
      const job = withTarget(asked, one, `${table}_further`);
      await createTable(db, `${table}_further`, furtherOf(one));
      let { report } = await load(db.url, job, optionsOf(own, random));
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
        await createTable(db, `${table}_oracle`, random, constraints);
        await expectAsOracle(db, oracleOf(table, random), effective);
        await db.query(`drop table ${table}_oracle`);
        await expectFurther(one, `${table}_further`, effective);
      }
      const options = { databaseUrl: db.url, wholeTable: false, cwd: own, log: silentLog };
      const { tables } = await verify(defineJob(job, own), { ...options, now: () => 0 });
      for (const each of tables) expect(each).toMatchObject({ equal: true, differences: [] });
      expect(tables).toHaveLength(one.further?.rows === 'all' ? 2 : 1);
      await db.query(`drop table ${table}, ${table}_further`);
      expect(seeds.length).toBe(bad.flat().length);
    });
  },
  CASES_LIMIT_MS,
);

function withTarget(job: JobInput, { further: drawn }: Case, table: string): JobInput {
  if (drawn === null) return job;
  const { onConflict, rows } = drawn;
  const target = {
    ...{ table, onConflict, versionColumn: onConflict === 'newest' ? 'version' : null },
    ...(rows === 'all' ? {} : { where: 'version is distinct from 4' }),
  };
  return { ...job, loads: job.loads.map((load) => ({ ...load, targets: [target] })) };
}

function furtherOf({ random, further: drawn }: Case): RandomLoad {
  const { key, values } = random;
  const onConflict = drawn?.onConflict ?? 'append';
  const shape = { key: key.slice(0, 1), values: [...key.slice(1), ...values], onConflict };
  return { ...random, ...shape, before: { columns: [], rows: [] } };
}

async function expectFurther(
  one: Case,
  table: string,
  files: readonly OracleFile[],
): Promise<void> {
  if (one.further === null) return;
  const taken = files.map((file) => {
    const version = file.columns.indexOf('version');
    const rows = file.rows.filter((row) => one.further?.rows === 'all' || row[version] !== '4');
    return { ...file, rows };
  });
  await createTable(scene.db, `${table}_oracle`, furtherOf(one));
  await expectAsOracle(scene.db, oracleOf(table, furtherOf(one)), taken);
  await scene.db.query(`drop table ${table}_oracle`);
}

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
