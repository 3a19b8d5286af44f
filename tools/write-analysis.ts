import { readFile, writeFile } from 'node:fs/promises';
import { withResultTables } from './analysis/result-tables.ts';
import { readKeptResults } from './analysis/kept-results.ts';

/** Renews the tables of PARALLEL_UPSERT_ANALYSIS.md from the kept results. A test says when. */
const path = new URL('../PARALLEL_UPSERT_ANALYSIS.md', import.meta.url);
await writeFile(path, withResultTables(await readFile(path, 'utf8'), await readKeptResults()));
