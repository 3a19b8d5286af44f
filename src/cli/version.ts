import { readFile } from 'node:fs/promises';

/** The version of this package. Its package.json lies two folders up, of the source and of a build. */
export async function packageVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8').catch(
    () => '{}',
  );
  const { version = 'unknown' } = JSON.parse(text) as { readonly version?: string };
  return version;
}
