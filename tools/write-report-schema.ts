/** Writes config/report.schema.json from src/report/report-schema.ts: `tsx tools/write-report-schema.ts`. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { reportSchema } from '../src/report/report-schema.ts';

const path = fileURLToPath(new URL('../config/report.schema.json', import.meta.url));
const text = await format(JSON.stringify(reportSchema), {
  ...(await resolveConfig(path)),
  parser: 'json',
});
await writeFile(path, text);
console.log(`Wrote ${path}.`);
