import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';

/** The rows of a reject file, by the names of its header. */
export async function readRejects(path: string): Promise<Record<string, string>[]> {
  return parse(await readFile(path, 'utf8'), { columns: true });
}
