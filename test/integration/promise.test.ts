import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planJob, runPlan } from '../support/load.ts';
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
  asJsonSaysIt,
  formatOf,
  jsonOf,
  randomFormats,
  type RandomFormat,
} from '../support/random-json.ts';
import { CASE_BLIND, csvOf, randomLoad, type RandomLoad } from '../support/random-load.ts';
import { fittingRelatives, giveRelatives, randomRelatives } from '../support/random-relatives.ts';
import { withWindows } from '../support/random-windows.ts';
import { useScene } from '../support/scene.ts';

/** The promise: whatever the strategy and the concurrency, the table ends as the oracle's. */
const scene = useScene(() => '', CASE_BLIND);

it(
  'holds for random tables, files, policies, strategies and concurrency',
  async () => {
    const { db, folder } = scene;
    const cases = fc.tuple(randomLoad, randomFormats, randomRelatives);
    await forCases(120, cases, async ([drawn, formats, wanted], table) => {
      const random = asJsonSaysIt(drawn, formats);
      const relatives = fittingRelatives(random, wanted);
      await createTwins(db, table, random);
      await giveRelatives(db, table, random, relatives);
      const job = jobOf(table, await writeFiles(table, random, formats), random);
      const plan = await planJob(db.url, job, optionsOf(folder, random));
      const copiesLikeInsert = !relatives.partitions && !relatives.trigger;
      const direct = random.windows && copiesLikeInsert;
      const run = direct ? await withWindows(db, plan, random) : plan;
      const report = await runPlan(db.url, run, {});
      expect([report.error, report.status]).toEqual([null, 'loaded']);
      await expectAsOracle(db, oracleOf(table, random), random.files);
      expectBalanced(report.loads[0]?.totals, rowsIn(random.files));
      await db.query(`drop table ${table}, ${table}_oracle cascade`);
    });
  },
  CASES_LIMIT_MS,
);

async function writeFiles(
  table: string,
  random: RandomLoad,
  formats: readonly RandomFormat[],
): Promise<string[]> {
  const written = random.files.map(async (file, place) => {
    const format = formatOf(random, formats, place);
    const path = join(scene.folder, `${table}-${place}.${format}`);
    await writeFile(path, format === 'csv' ? csvOf(file) : jsonOf(random, file, format));
    return path;
  });
  return Promise.all(written);
}
