import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import {
  digestOf,
  requireCompiler,
  transpile,
  type CompiledModules,
  type TypeScript,
} from './transpile.ts';

/**
 * Hooks of Node's module loader, in its own thread: they turn TypeScript into JavaScript for a
 * transform and for the files that it imports, and leave all else to Node. What belongs to a transform
 * is told by a mark in the query of its URL, which is handed on to what it imports by a relative path.
 */
export const MARK = 'etl-typescript';

let compiler: string | null = null;
let typescript: TypeScript | null = null;
const compiled = new Map<string, string>();

/** Where the hooks find the package `typescript`, and the port over which they are given modules. */
export interface HooksData {
  /** Its path. */
  readonly typescript: string;
  readonly port: MessagePort;
}

/** Modules that are compiled already; `taken` is told once they are at hand. */
export interface GivenModules {
  readonly modules: CompiledModules;
  readonly taken: MessagePort;
}

export function initialize({ typescript: path, port }: HooksData): void {
  compiler = path;
  port.on('message', ({ modules, taken }: GivenModules) => {
    for (const [digest, text] of Object.entries(modules)) compiled.set(digest, text);
    taken.postMessage(null);
  });
  port.unref();
}

interface Resolved {
  readonly url: string;
  readonly format?: string | null;
  readonly shortCircuit?: boolean;
}

export async function resolve(
  specifier: string,
  context: { readonly parentURL?: string },
  next: (specifier: string, context: unknown) => Promise<Resolved>,
): Promise<Resolved> {
  const resolved = await next(specifier, context);
  const { parentURL } = context;
  if (parentURL === undefined || !isMarked(parentURL) || !isTypeScript(resolved.url)) {
    return resolved;
  }
  const url = new URL(resolved.url);
  // The version of the parent is the version of all of them.
  url.search = new URL(parentURL).search;
  return { ...resolved, url: url.href };
}

/**
 * What was compiled before is taken as it is, so that as a rule the package is not loaded here: each
 * thread that loads has hooks of its own, and each would keep the 48 MiB of it.
 */
export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<unknown>,
): Promise<unknown> {
  if (compiler === null || !isMarked(url) || !isTypeScript(url)) return next(url, context);
  const path = fileURLToPath(url);
  const text = await readFile(path, 'utf8');
  const source =
    compiled.get(digestOf(text)) ??
    transpile((typescript ??= requireCompiler(compiler)), text, path);
  return { format: 'module', source, shortCircuit: true };
}

function isMarked(url: string): boolean {
  return url.startsWith('file:') && new URL(url).searchParams.has(MARK);
}

function isTypeScript(url: string): boolean {
  return url.startsWith('file:') && /\.m?ts$/.test(new URL(url).pathname);
}
