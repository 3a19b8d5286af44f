import { createHash } from 'node:crypto';
import {
  accessSync,
  constants as fs,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag, deserialize, serialize } from 'node:v8';
import { Script } from 'node:vm';
import { importUrl } from './import-url.ts';

/** The name of the script of a build, which says so; see tools/build/script.ts. */
declare const ETL_SCRIPT: string;

/** A part of the script of a build, and what to call once it has done its work. */
export interface LoadedPart<Part> {
  readonly part: Part;
  /** Keeps the code that V8 has compiled, for the next process. Never throws. */
  readonly keep: () => void;
}

/** Of a checkout, which has no script. */
export function fromSource<Part>(part: Part): LoadedPart<Part> {
  return { part, keep: () => undefined };
}

/**
 * Loads a part of the script that a build has for its processes (tools/build/script.ts), with the code that
 * V8 compiled of it when it last ran: a load of two rows takes 0.28 s of client CPU instead of 0.47 (means of
 * eight in turn), 0.07 of which is what modules cost above a script, and three million rows of Parquet 1.74
 * instead of 1.91 (means of six in turn). Node 22 can keep the code of modules by itself
 * (module.enableCompileCache), Node 20 cannot.
 *
 * It is kept beside the script, and only where this process may write there: whoever can change one can change
 * the other, which holds of no folder that others share. V8 refuses code of another version of itself, of
 * other flags or of another script; that nobody has damaged it, it does not look after, so a hash does.
 *
 * @param use what the process does, in a word: kept is what all uses have compiled so far
 * @param plain by Node's own loader, which knows source maps, and nothing kept
 */
export function loadPart<Part>(
  name: string,
  { use, plain }: { readonly use: string; readonly plain: boolean },
): Promise<LoadedPart<Part>> {
  const path = fileURLToPath(new URL(`../script/${ETL_SCRIPT}`, import.meta.url));
  const require = createRequire(path);
  if (plain) return partOf<Part>(require(path), name, () => undefined);
  const keptPath = path.replace(/cjs$/, `${cachedDataVersionTag()}.bin`);
  const kept = readKept(keptPath);
  const begin = '(function (exports, require, module, __filename, __dirname, importOutside) {';
  // It is ASCII, which is read faster as such.
  const script = new Script(`${begin}${readFileSync(path, 'latin1')}\n})`, {
    filename: path,
    cachedData: kept?.code,
  });
  const module = { exports: {} };
  const begun = script.runInThisContext() as Wrapper;
  begun(module.exports, require, module, path, dirname(path), importUrl);
  const uses = script.cachedDataRejected === true ? [] : (kept?.uses ?? []);
  return partOf<Part>(module.exports, name, () => {
    if (!uses.includes(use) || isOld(keptPath)) writeKept(keptPath, [...uses, use], script);
  });
}

type Wrapper = (
  exports: object,
  require: NodeJS.Require,
  module: object,
  filename: string,
  dirname: string,
  importOutside: typeof importUrl,
) => void;

async function partOf<Part>(
  script: unknown,
  name: string,
  keep: () => void,
): Promise<LoadedPart<Part>> {
  const parts = script as Readonly<Record<string, (() => Promise<Part>) | undefined>>;
  const part = await parts[name]?.();
  if (part === undefined) throw new TypeError(`The script of this build has no ${name}.`);
  return { part, keep };
}

interface Kept {
  readonly uses: readonly string[];
  readonly code: Buffer;
}

const HASH_BYTES = 32;

function readKept(path: string): Kept | null {
  try {
    const bytes = readFileSync(path);
    const content = bytes.subarray(HASH_BYTES);
    return bytes.subarray(0, HASH_BYTES).equals(hashOf(content))
      ? (deserialize(content) as Kept)
      : null;
  } catch {
    return null;
  }
}

/** What a use compiles hangs on its files, too: a day later more may be known. */
function isOld(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined || Date.now() - stats.mtimeMs > 24 * 60 * 60 * 1000;
}

/** As a whole or not at all. Where it fails the next start takes a little longer, and that is all. */
function writeKept(path: string, uses: readonly string[], script: Script): void {
  const written = `${path}.${process.pid}`;
  try {
    accessSync(dirname(path), fs.W_OK);
    const content = serialize({ uses: [...new Set(uses)], code: script.createCachedData() });
    writeFileSync(written, Buffer.concat([hashOf(content), content]), { flag: 'wx' });
    renameSync(written, path);
  } catch {
    rmSync(written, { force: true });
  }
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
