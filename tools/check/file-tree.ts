import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** What is in the files of a checkout, by path from its root, in a stable order. */
export type FileTree = ReadonlyMap<string, FileText>;

export interface FileText {
  readonly text: string;
  /** Of the bytes, in hexadecimal. */
  readonly digest: string;
}

/** Folders of what is not the checkout's own: made by tools, or somebody else's. */
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'coverage', '.etl', 'benchmark-results']);

/** Of a folder that is not there: none. */
export function readTree(root: string): FileTree {
  if (!existsSync(root)) return new Map();
  return new Map(pathsIn(root, '').map((path) => [path, readText(join(root, path))]));
}

function pathsIn(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .filter(({ name }) => !LEFT_OUT.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) return pathsIn(root, path);
      return entry.isFile() ? [path] : [];
    });
}

function readText(path: string): FileText {
  const bytes = readFileSync(path);
  return { text: bytes.toString('latin1'), digest: digestOf([bytes]) };
}

/** One digest of several values, each set apart from the next. */
export function digestOf(values: Iterable<string | Uint8Array>): string {
  const hash = createHash('sha256');
  for (const value of values) hash.update(value).update('\0');
  return hash.digest('hex');
}

/** Of the files that `belongs` takes: their paths, and what they hold. */
export function digestOfFiles(tree: FileTree, belongs: (path: string) => boolean): string {
  return digestOf([...tree].flatMap(([path, { digest }]) => (belongs(path) ? [path, digest] : [])));
}
