import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** By step: the digests of what it has looked at and found good. */
export type Passed = Readonly<Record<string, readonly string[]>>;

interface Written {
  /** A digest of what every step depends on: configuration, versions of the tools, and `tools/check`. */
  readonly ground: string;
  readonly passed: Passed;
}

/**
 * What passed before, kept in a folder of its own. A folder of another ground is emptied: nothing
 * in it says anything about now, the steps' own files that lie there included.
 */
export function readPassed(folder: string, ground: string): Passed {
  const before = readWritten(join(folder, FILE));
  if (before?.ground === ground) return before.passed;
  rmSync(folder, { recursive: true, force: true });
  return {};
}

export function writePassed(folder: string, ground: string, passed: Passed): void {
  mkdirSync(folder, { recursive: true });
  const written: Written = { ground, passed };
  // Two checks at once may both write: each leaves a whole file, and the last one stays.
  const path = join(folder, `${FILE}.${process.pid}`);
  writeFileSync(path, JSON.stringify(written));
  renameSync(path, join(folder, FILE));
}

const FILE = 'passed.json';

function readWritten(path: string): Written | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Written;
  } catch {
    return null;
  }
}
