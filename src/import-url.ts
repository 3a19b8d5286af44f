/**
 * What code-cache.ts hands to the script that it starts: code that V8 has from its cache cannot import ("A
 * dynamic import callback was not specified", Node 20.20).
 */
declare const importOutside: ((url: string) => Promise<unknown>) | undefined;

/** Imports a module that is none of this package's own. @param url of a file, absolute */
export function importUrl(url: string): Promise<unknown> {
  return typeof importOutside === 'undefined' ? import(url) : importOutside(url);
}
