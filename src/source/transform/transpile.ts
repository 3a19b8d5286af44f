import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

/** The part of the package `typescript` that is needed. */
export interface TypeScript {
  transpileModule(
    text: string,
    options: { readonly fileName: string; readonly compilerOptions: Record<string, unknown> },
  ): { readonly outputText: string };
  preProcessFile(text: string): {
    readonly importedFiles: readonly { readonly fileName: string }[];
  };
  readonly ModuleKind: { readonly ESNext: number };
  readonly ScriptTarget: { readonly ES2022: number };
}

/** JavaScript, by the digest of the TypeScript that it was made of. Plain JSON: it crosses threads. */
export type CompiledModules = Readonly<Record<string, string>>;

/**
 * Required, and not imported: it is a module in CommonJS of 9 MB, which an import reads twice more for
 * its format and the names of its exports: 0.35 s of CPU and 48 MiB, and 0.8 s and 77 MiB by import.
 *
 * @param path of the package's main module
 */
export function requireCompiler(path: string): TypeScript {
  return createRequire(import.meta.url)(path) as TypeScript;
}

export function transpile(typescript: TypeScript, text: string, path: string): string {
  const { outputText } = typescript.transpileModule(text, {
    fileName: path,
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ES2022,
      // An import of a type alone is dropped where it says so, as Node's own stripping has it.
      verbatimModuleSyntax: true,
    },
  });
  return outputText;
}

/** A module is known by what it says, so that one that was written to since is another one. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
