import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { doorOf } from '../../doors.ts';
import { MARK } from './typescript-hooks.ts';

let registered = false;

/**
 * Imports a module in TypeScript where Node itself does not read it (below 22.18): by the package
 * `typescript`, if the module's folder or this package can find it. Its line numbers in stacks are
 * those of the JavaScript that is made of it.
 *
 * @param url of a file, with whatever query
 * @returns null where there is no such package
 */
export async function importTypeScript(url: string, path: string): Promise<unknown> {
  if (!registered) {
    const found = findTypeScript(path);
    if (found === null) return null;
    const { url: hooks } = doorOf('src/source/transform/typescript-hooks');
    register(hooks, { data: { url: pathToFileURL(found).href } });
    registered = true;
  }
  const marked = new URL(url);
  marked.searchParams.set(MARK, '1');
  return import(marked.href);
}

function findTypeScript(path: string): string | null {
  for (const from of [path, import.meta.url]) {
    try {
      return createRequire(from).resolve('typescript');
    } catch {
      // It may be found from the next place.
    }
  }
  return null;
}
