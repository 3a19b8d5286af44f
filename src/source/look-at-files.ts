import { accessSync, statSync, type Stats } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ErrorCode } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { formatOfName } from './file-format.ts';
import type { SourceFile } from './source-file.ts';

/** Why a file, or what a pattern means, cannot be loaded. */
export interface Problem {
  readonly code: ErrorCode;
  readonly name: string;
  /** A sentence without the name, and what to do. */
  readonly sentence: string;
  readonly remedy: string;
}

export interface LookOptions {
  readonly cwd: string;
  readonly format?: SourceFile['format'];
  readonly expansionRatioMax?: number;
}

/** Each file as it is now, or what is wrong with it, in the order of the paths. Opens none. */
export function lookAtFiles(
  paths: readonly string[],
  options: LookOptions,
): Promise<readonly (SourceFile | Problem)[]> {
  return options.format === 'document'
    ? lookAtDocuments(paths, options)
    : mapBounded(paths, (file) => lookAt(file, options));
}

const lookingAtOnceMax = 64;

/** A directory may hold a million files: so many stats at once would need as many promises. */
async function mapBounded<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index] as Item);
    }
  }
  await Promise.all(Array.from({ length: lookingAtOnceMax }, worker));
  return results;
}

async function lookAt(file: string, options: LookOptions): Promise<SourceFile | Problem> {
  const { format, expansionRatioMax: ratio = LIMITS.expansionRatioMax } = options;
  const name = nameOf(file, options);
  try {
    const stats = await stat(file);
    await access(file, constants.R_OK);
    const problem = notRegular(name, stats) ?? empty(name, stats);
    if (problem !== null) return problem;
    const kind = formatOfName(name, format);
    if ('sentence' in kind) return { code: 'ETL_FILE_FORMAT', name, ...kind };
    return {
      ...{ path: file, name, ...kind, bytes: stats.size },
      ...{ mtimeMs: stats.mtimeMs, ctimeMs: stats.ctimeMs },
      ...(ratio === LIMITS.expansionRatioMax ? {} : { expansionRatioMax: ratio }),
    };
  } catch (error) {
    return unreadable(name, error);
  }
}

/** As shown to people. A part of the path itself takes no memory of its own, and no time. */
function nameOf(file: string, { cwd }: Pick<LookOptions, 'cwd'>): string {
  if (cwd !== '' && file.startsWith(cwd) && file[cwd.length] === path.sep) {
    return file.slice(cwd.length + 1);
  }
  const inside = path.relative(cwd, file);
  const outside = inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside);
  return outside ? file : inside;
}

const READABLE_BY_ALL = 0o444;

/** So many are looked at before others have their turn. */
const looksAtOnce = 1_000;

/**
 * The same of documents, of which there may be a hundred thousand, and which may be empty. It waits for
 * each: 6 µs of CPU, where promises, 50 at a time, take 13.
 */
async function lookAtDocuments(
  paths: readonly string[],
  options: LookOptions,
): Promise<readonly (SourceFile | Problem)[]> {
  const looks: (SourceFile | Problem)[] = [];
  for (const file of paths) {
    looks.push(lookAtDocument(file, nameOf(file, options)));
    if (looks.length % looksAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return looks;
}

function lookAtDocument(file: string, name: string): SourceFile | Problem {
  try {
    const stats = statSync(file);
    // The system is only asked where its answer is not plain: a third of the time of a look.
    if ((stats.mode & READABLE_BY_ALL) !== READABLE_BY_ALL) accessSync(file, constants.R_OK);
    const problem = notRegular(name, stats);
    if (problem !== null) return problem;
    const { size: bytes, mtimeMs, ctimeMs } = stats;
    return { path: file, name, format: 'document', compression: 'none', bytes, mtimeMs, ctimeMs };
  } catch (error) {
    return unreadable(name, error);
  }
}

function unreadable(name: string, error: unknown): Problem {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  // Node puts this character where a name's bytes are no UTF-8, so that nothing has the name.
  if (name.includes('\ufffd') && code === 'ENOENT') {
    return {
      code: 'ETL_FILE_READ',
      name,
      sentence: 'Its name is not UTF-8.',
      remedy: 'Rename it, or link to it by another name.',
    };
  }
  if (code === 'ENOENT' || code === 'ELOOP') {
    return {
      code: 'ETL_FILE_READ',
      name,
      sentence: `It leads to no file (${code}).`,
      remedy: 'Restore what the link leads to, or take the link away.',
    };
  }
  return {
    code: 'ETL_FILE_READ',
    name,
    sentence: `It cannot be read: ${code}.`,
    remedy: 'Check its permissions.',
  };
}

function notRegular(name: string, stats: Stats): Problem | null {
  if (stats.isFile()) return null;
  return {
    code: 'ETL_FILE_FORMAT',
    name,
    sentence: 'It is not a regular file.',
    remedy: 'Pipes and devices cannot be read twice: write their data to a file first.',
  };
}

function empty(name: string, stats: Stats): Problem | null {
  if (stats.size > 0) return null;
  return {
    code: 'ETL_FILE_EMPTY',
    name,
    sentence: 'The file is empty (0 bytes).',
    remedy: 'Take it out of the load, or write it again.',
  };
}
