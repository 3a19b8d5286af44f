import type { UpsertLoader, UpsertResult } from 'parallel-upsert';
import type { ReleasePackage } from './generate.ts';

export interface PageOptions {
  readonly loader: UpsertLoader;
  /** Hears of every bad release. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Goes from page to page, as far as each names a next one. */
export async function* loadPages(
  first: string,
  options: PageOptions,
): AsyncGenerator<UpsertResult> {
  for (let url: string | undefined = first; url !== undefined;) {
    const response = await fetch(url, { signal: options.signal });
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    const page = (await response.json()) as ReleasePackage;
    yield await processAndSavePage(page, options);
    url = page.links?.next;
  }
}

/** One transaction: the good releases of the page are saved, and the bad ones named. */
export async function processAndSavePage(
  { uri, releases }: ReleasePackage,
  { loader, say, signal }: PageOptions,
): Promise<UpsertResult> {
  const done = await loader.upsert(releases, { name: new URL(uri).search, signal });
  for (const { index, error } of done.rejected) {
    say(`${uri}: release ${releases[index]?.ocid ?? index}: ${error.sentence}`);
  }
  return done;
}
