/**
 * Writes config/report.schema.json from src/report/report-schema.ts, and config/benchmark.schema.json from
 * benchmarks/results-schema.ts: `tsx tools/write-report-schema.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { resultsSchema } from '../benchmarks/results-schema.ts';
import { reportSchema } from '../src/report/report-schema.ts';

for (const [name, schema] of [
  ['report', reportSchema],
  ['benchmark', resultsSchema],
] as const) {
  const path = fileURLToPath(new URL(`../config/${name}.schema.json`, import.meta.url));
  const style = { ...(await resolveConfig(path)), parser: 'json' };
  await writeFile(path, await format(JSON.stringify(schema), style));
  console.log(`Wrote ${path}.`);
}
