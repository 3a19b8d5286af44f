import { readFile, writeFile } from 'node:fs/promises';
import { withResultTables } from './analysis/result-tables.ts';
import { readKeptResults } from './analysis/kept-results.ts';
import { readKeptTunings } from './analysis/tuned-table.ts';

/** Renews the tables of PARALLEL_UPSERT_ANALYSIS.md from the kept results. A test says when. */
const path = new URL('../PARALLEL_UPSERT_ANALYSIS.md', import.meta.url);
const [text, kept, tunings] = await Promise.all([
  readFile(path, 'utf8'),
  readKeptResults(),
  readKeptTunings(),
]);
await writeFile(path, withResultTables(text, kept, tunings));
