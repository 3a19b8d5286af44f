import { readFile, writeFile } from 'node:fs/promises';
import { withTables } from './flag-tables.ts';

/** Renews the README's tables of flags and settings. A test says when this is due. */
const path = new URL('../README.md', import.meta.url);
await writeFile(path, withTables(await readFile(path, 'utf8')));
