import { readFile } from 'node:fs/promises';

/** The version of this package. Its package.json lies two folders up, or three when compiled. */
export async function packageVersion(): Promise<string> {
  for (const place of ['../../package.json', '../../../package.json']) {
    const text = await readFile(new URL(place, import.meta.url), 'utf8').catch(() => null);
    if (text === null) continue;
    const found = JSON.parse(text) as { readonly name?: string; readonly version?: string };
    if (found.name === 'parallel-upsert' && found.version !== undefined) return found.version;
  }
  return 'unknown';
}
