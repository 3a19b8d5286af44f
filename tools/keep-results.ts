import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { ratiosOf } from '../benchmarks/ratios.ts';
import type { BenchmarkResults } from '../benchmarks/results.ts';
import type { Recommendation } from '../benchmarks/tune/recommendation.ts';
import { lostBy, readKeptResults, slimmed } from './analysis/kept-results.ts';
import { TUNED_FOLDER } from './analysis/tuned-table.ts';

/**
 * Keeps the results of a benchmark in the repository, for the tables of
 * PARALLEL_UPSERT_ANALYSIS.md, which `npm run analysis` renews:
 *
 *     npx tsx tools/keep-results.ts benchmark-results/results.json standard
 *
 * What `etl benchmark --config config/prod.json --json` prints is kept in the same way, as `prod`.
 */
const [from, name] = process.argv.slice(2);
if (from === undefined || name === undefined || !/^[a-z0-9-]+$/.test(name)) {
  throw new Error('Usage: npx tsx tools/keep-results.ts RESULTS.json NAME');
}
const found = JSON.parse(await readFile(from, 'utf8')) as BenchmarkResults | Recommendation;
if ('cases' in found) await keepResults(found, name);
else await keepTuning(found, name);

async function keepResults(results: BenchmarkResults, as: string): Promise<void> {
  const kept = slimmed({ ...results, ratios: ratiosOf(results.cases) });
  const path = new URL(`../benchmarks/results/${as}.json`, import.meta.url);
  const lost = lostBy(await readKeptResults(), `${as}.json`, kept);
  if (lost.length > 0) {
    throw new Error(`${as}.json alone holds ${lost.join(', ')}: choose another name.`);
  }
  await writeFile(path, `${JSON.stringify(kept, null, 1)}\n`);
  const examples = kept.examples?.length ?? 0;
  console.log(
    `${kept.cases.length} cases, ${kept.ratios.length} ratios, ${examples} examples: ${path.pathname}`,
  );
}

async function keepTuning(recommendation: Recommendation, as: string): Promise<void> {
  const path = new URL(`${as}.json`, TUNED_FOLDER);
  await mkdir(TUNED_FOLDER, { recursive: true });
  await writeFile(path, `${JSON.stringify(recommendation, null, 1)}\n`);
  console.log(`${recommendation.choices.length} choices: ${path.pathname}`);
}
