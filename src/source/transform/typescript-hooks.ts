import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/**
 * Hooks of Node's module loader, in its own thread: they turn TypeScript into JavaScript for a
 * transform and for the files that it imports, and leave all else to Node. What belongs to a transform
 * is told by a mark in the query of its URL, which is handed on to what it imports by a relative path.
 */
export const MARK = 'etl-typescript';

/** The part of the package `typescript` that is needed. */
interface TypeScript {
  transpileModule(
    text: string,
    options: { readonly fileName: string; readonly compilerOptions: Record<string, unknown> },
  ): { readonly outputText: string };
  readonly ModuleKind: { readonly ESNext: number };
  readonly ScriptTarget: { readonly ES2022: number };
}

let typescript: TypeScript | null = null;

export async function initialize({ url }: { readonly url: string }): Promise<void> {
  const module = (await import(url)) as { readonly default: TypeScript };
  typescript = module.default;
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

export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<unknown>,
): Promise<unknown> {
  if (typescript === null || !isMarked(url) || !isTypeScript(url)) return next(url, context);
  const path = fileURLToPath(url);
  const { outputText } = typescript.transpileModule(await readFile(path, 'utf8'), {
    fileName: path,
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ES2022,
      // An import of a type alone is dropped where it says so, as Node's own stripping has it.
      verbatimModuleSyntax: true,
    },
  });
  return { format: 'module', source: outputText, shortCircuit: true };
}

function isMarked(url: string): boolean {
  return url.startsWith('file:') && new URL(url).searchParams.has(MARK);
}

function isTypeScript(url: string): boolean {
  return url.startsWith('file:') && /\.m?ts$/.test(new URL(url).pathname);
}
