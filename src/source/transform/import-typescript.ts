import { createRequire, register } from 'node:module';
import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { doorOf } from '../../doors.ts';
import { importUrl } from '../../import-url.ts';
import { compileTypeScript } from './compile-typescript.ts';
import type { CompiledModules } from './transpile.ts';
import { MARK, type GivenModules, type HooksData } from './typescript-hooks.ts';

/** Where this thread's hooks of Node's module loader take modules; null before there are any. */
let hooks: MessagePort | null = null;

/**
 * Imports a module in TypeScript where Node itself does not read it (below 22.18): by the package
 * `typescript`, if the module's folder or this package can find it. Its line numbers in stacks are
 * those of the JavaScript that is made of it.
 *
 * @param url of a file, with whatever query
 * @returns null where there is no such package
 */
export async function importTypeScript(url: string, path: string): Promise<unknown> {
  const typescript = findTypeScript(path);
  if (typescript === null) return null;
  hooks ??= registerHooks(typescript);
  await give(hooks, await compileTypeScript(path, typescript));
  const marked = new URL(url);
  marked.searchParams.set(MARK, '1');
  return importUrl(marked.href);
}

function registerHooks(typescript: string): MessagePort {
  const { port1, port2: port } = new MessageChannel();
  const { url } = doorOf('src/source/transform/typescript-hooks');
  register<HooksData>(url, { data: { typescript, port }, transferList: [port] });
  return port1;
}

/** Hooks live in a thread of their own: resolves once they have the modules. */
async function give(to: MessagePort, modules: CompiledModules): Promise<void> {
  const { port1, port2: taken } = new MessageChannel();
  to.postMessage({ modules, taken } satisfies GivenModules, [taken]);
  try {
    await once(port1, 'message');
  } finally {
    port1.close();
  }
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
