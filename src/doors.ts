import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * The modules by which a process or a thread enters this package, as paths from its root without
 * their ending. A build keeps these paths, and nothing else of the tree: see tools/build.ts.
 */
export const DOORS = [
  'benchmarks/run-child',
  'src/cli/main',
  'src/embedded/watchdog',
  'src/index',
  'src/source/transform/typescript-compiler',
  'src/source/transform/typescript-hooks',
  'workers/session-worker',
] as const;

/** What it takes to begin a process or a thread with one of them. */
export interface Door {
  readonly url: URL;
  /** Options of Node, before the module. */
  readonly execArgv: readonly string[];
}

/**
 * Found from here, and this file lies one folder below the root of the checkout, and in a build
 * bundled into a file one folder below `dist`, which has the doors at the same paths.
 */
export function doorOf(door: (typeof DOORS)[number]): Door {
  const source = import.meta.url.endsWith('.ts');
  const url = new URL(`../${door}.${source ? 'ts' : 'js'}`, import.meta.url);
  return { url, execArgv: source ? ['--import', typeScriptLoader()] : [] };
}

/**
 * Node itself does not read TypeScript in version 20, so a checkout runs its threads and processes by
 * tsx: by its path, since they may begin in any folder. The published package holds JavaScript.
 */
function typeScriptLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}
