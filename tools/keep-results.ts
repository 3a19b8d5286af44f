import { readFile, writeFile } from 'node:fs/promises';
import { ratiosOf } from '../benchmarks/ratios.ts';
import type { BenchmarkResults } from '../benchmarks/results.ts';
import { slimmed } from './analysis/kept-results.ts';

/**
 * Keeps the results of a benchmark in the repository, for the tables of
 * PARALLEL_UPSERT_ANALYSIS.md, which `npm run analysis` renews:
 *
 *     npx tsx tools/keep-results.ts benchmark-results/results.json standard
 */
const [from, name] = process.argv.slice(2);
if (from === undefined || name === undefined || !/^[a-z0-9-]+$/.test(name)) {
  throw new Error('Usage: npx tsx tools/keep-results.ts RESULTS.json NAME');
}
const results = JSON.parse(await readFile(from, 'utf8')) as BenchmarkResults;
const kept = slimmed({ ...results, ratios: ratiosOf(results.cases) });
const path = new URL(`../benchmarks/results/${name}.json`, import.meta.url);
await writeFile(path, `${JSON.stringify(kept, null, 1)}\n`);
console.log(`${kept.cases.length} cases, ${kept.ratios.length} ratios: ${path.pathname}`);
