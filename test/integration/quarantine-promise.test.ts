import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { LoadReport } from '../../src/run/report-types.ts';
import { load } from '../support/load.ts';
import {
  CASES_LIMIT_MS,
  createTwins,
  expectAsOracle,
  expectBalanced,
  forCases,
  jobOf,
  optionsOf,
  oracleOf,
  rowsIn,
} from '../support/promise.ts';
import {
  badRowsOf,
  constraintsOf,
  csvWithBadRows,
  KNOWN_VERSIONS,
  type BadRow,
} from '../support/random-bad-rows.ts';
import { CASE_BLIND, randomLoad, type RandomLoad } from '../support/random-load.ts';
import { readRejects } from '../support/rejects.ts';
import { useScene } from '../support/scene.ts';

interface Case {
  readonly random: RandomLoad;
  readonly bad: readonly (readonly BadRow[])[];
}

/** The promise where bad rows are put aside: the table ends as the oracle's, which gets only the others. */
const scene = useScene(() => '', `${CASE_BLIND}${KNOWN_VERSIONS}`);

it(
  'holds for random files with bad rows of each kind',
  async () => {
    const { db, folder } = scene;
    const withBad = randomLoad.chain((random) =>
      badRowsOf(random).map((bad): Case => ({ random, bad })),
    );
    await forCases(80, withBad, async ({ random, bad }, table) => {
      await createTwins(db, table, random, constraintsOf(random));
      const own = await mkdtemp(join(folder, 'files-'));
      const paths = random.files.map((_, place) => join(own, `${place}.csv`));
      for (const [place, file] of random.files.entries()) {
        await writeFile(paths[place] ?? '', csvWithBadRows(file, bad[place] ?? []));
      }
      const job = jobOf(table, paths, random, { onError: 'quarantine', subBatchSize: 3 });
      const { report } = await load(db.url, job, optionsOf(own, random));
      expect(report.error).toBeNull();
      await expectAsOracle(db, oracleOf(table, random), random.files);
      await expectRejected(report.loads[0], random, bad, join(own, 'rejects'));
      await db.query(`drop table ${table}, ${table}_oracle`);
    });
  },
  CASES_LIMIT_MS,
);

/** Every row is counted once, each file has its rejected rows, and these are the bad ones. */
async function expectRejected(
  load: LoadReport | undefined,
  random: RandomLoad,
  bad: Case['bad'],
  folder: string,
): Promise<void> {
  expectBalanced(load?.totals, rowsIn(random.files) + bad.flat().length);
  const rejected = load?.totals.rejected ?? 0;
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
