import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { doorOf } from '../../doors.ts';
import { LIMITS } from '../../limits.ts';
import { digestOf, type CompiledModules } from './transpile.ts';
import type { CompilerTask } from './typescript-compiler.ts';

/** What this thread has compiled, or was given; the oldest first. */
const known = new Map<string, string>();

/** For threads that are to import the same modules. */
export function compiledModules(): CompiledModules {
  return Object.fromEntries(known);
}

/** Takes what another thread has compiled. */
export function adoptCompiled(modules: CompiledModules): void {
  for (const [digest, text] of Object.entries(modules)) known.set(digest, text);
  for (const digest of known.keys()) {
    if (known.size <= LIMITS.compiledModulesMax) return;
    known.delete(digest);
  }
}

/**
 * Compiles a module in TypeScript, and what it imports by relative paths, in a thread that ends with it;
 * nothing of it where the module is known.
 *
 * @param typescript path of the package
 */
export async function compileTypeScript(
  path: string,
  typescript: string,
): Promise<CompiledModules> {
  const text = await readFile(path, 'utf8');
  if (!known.has(digestOf(text))) adoptCompiled(await compiled({ path, typescript }));
  return compiledModules();
}

async function compiled(workerData: CompilerTask): Promise<CompiledModules> {
  // Built, as a rule: in a checkout it is tsx that reads TypeScript, and nothing comes here.
  const { url } = doorOf('src/source/transform/typescript-compiler');
  const compiler = new Worker(url, { workerData });
  try {
    const [modules] = (await once(compiler, 'message')) as [CompiledModules];
    return modules;
  } finally {
    await compiler.terminate();
  }
}
