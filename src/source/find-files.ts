import type { Stats } from 'node:fs';
import { access, constants, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDynamicPattern } from 'tinyglobby';
import { comparePaths } from '../conflict/precedence.ts';
import { EtlError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { expandPattern } from './expand-pattern.ts';
import { formatOfName } from './file-format.ts';
import type { SourceFile } from './source-file.ts';

export interface FindOptions {
  readonly cwd: string;
  /**
   * Precedence among the files of one pattern: `name` by natural order of path, `mtime` by time of
   * modification, then name. `listed` says that the patterns are the order; what a glob among them
   * finds goes by name.
   */
  readonly order: 'name' | 'mtime' | 'listed';
  /** Format of files whose name does not tell. */
  readonly format?: SourceFile['format'];
  /** See SourceFile; by default the usual one. */
  readonly expansionRatioMax?: number;
  /** By default that of LIMITS. */
  readonly filesMax?: number;
}

/**
 * The files that patterns name, in order of precedence, lowest first: pattern by pattern, and
 * inside a pattern by `order`. A file that two patterns find counts once, in its first place. A
 * pattern that names an existing file is that file, whatever characters its name has.
 *
 * @throws EtlError all problems together; its code is that of the first: ETL_FILE_NOT_FOUND,
 *   ETL_FILE_FORMAT, ETL_FILE_EMPTY, ETL_FILE_READ, ETL_LIMIT
 */
export async function findFiles(
  patterns: readonly string[],
  options: FindOptions,
): Promise<readonly SourceFile[]> {
  const { order, filesMax = LIMITS.filesMax } = options;
  const found = new Map<string, SourceFile>();
  const problems: Problem[] = [];
  for (const pattern of patterns) {
    const paths = await pathsOf(pattern, options, problems);
    if (paths.length + found.size > filesMax) throw tooManyFiles(filesMax);
    const looks = await mapBounded(paths, (file) => lookAt(file, options));
    const files = looks.filter((look) => 'path' in look);
    problems.push(...looks.filter((look) => 'code' in look));
    for (const file of inOrder(files, order)) {
      if (!found.has(file.path)) found.set(file.path, file);
    }
  }
  if (problems.length > 0) throw errorOf(problems);
  return [...found.values()];
}

interface Problem {
  readonly code: ErrorCode;
  readonly name: string;
  /** A sentence without the name, and what to do. */
  readonly sentence: string;
  readonly remedy: string;
}

/** Absolute paths; none where there is a problem with the pattern itself. */
async function pathsOf(
  pattern: string,
  { cwd, filesMax = LIMITS.filesMax }: FindOptions,
  problems: Problem[],
): Promise<readonly string[]> {
  const literal = path.resolve(cwd, pattern);
  const stats = await stat(literal).catch(() => null);
  if (stats?.isDirectory() === true) {
    problems.push({
      code: 'ETL_FILE_FORMAT',
      name: pattern,
      sentence: 'It is a directory.',
      remedy: `Write ${path.posix.join(pattern, '**/*.csv')} for the CSV files in it.`,
    });
    return [];
  }
  if (stats !== null) return [literal];
  if (!isDynamicPattern(pattern)) {
    problems.push(await notFound(pattern, literal));
    return [];
  }
  const { paths, unreadable, cut } = await expandPattern(pattern, cwd, filesMax * namesPerFile);
  if (cut) throw tooManyNames(pattern, filesMax * namesPerFile);
  problems.push(
    ...unreadable.map(({ folder, code }) => ({
      code: 'ETL_FILE_READ' as const,
      name: folder,
      sentence: `The folder cannot be listed: ${code}.`,
      remedy: 'Check its permissions: files that the pattern means may be in it.',
    })),
  );
  if (paths.length === 0 && unreadable.length === 0) {
    problems.push({
      code: 'ETL_FILE_NOT_FOUND',
      name: pattern,
      sentence: 'No file matches the pattern.',
      remedy: path.isAbsolute(pattern)
        ? 'Check the folder and the pattern.'
        : `It was looked for in ${cwd}.`,
    });
  }
  return paths;
}

/** Names that may be met for each file that is wanted: folders hold other files, too. */
const namesPerFile = 4;

async function notFound(pattern: string, literal: string): Promise<Problem> {
  const folder = path.dirname(literal);
  const names = await readdir(folder).catch(() => null);
  const alike = namesAlike(path.basename(literal), names ?? []);
  return {
    code: 'ETL_FILE_NOT_FOUND',
    name: pattern,
    sentence: 'There is no such file.',
    remedy:
      names === null
        ? `There is no folder ${folder} either.`
        : alike.length === 0
          ? `It was looked for in ${folder}.`
          : `The folder has ${alike.join(', ')}.`,
  };
}

/** Up to three names that share the longest beginning with the one that is missing. */
function namesAlike(missing: string, names: readonly string[]): readonly string[] {
  const scored = names.map((name) => ({ name, shared: sharedBeginning(missing, name) }));
  const longest = scored.reduce((most, { shared }) => Math.max(most, shared), 0);
  if (longest === 0) return [];
  return scored
    .filter(({ shared }) => shared === longest)
    .map(({ name }) => name)
    .sort(comparePaths)
    .slice(0, 3);
}

function sharedBeginning(a: string, b: string): number {
  let shared = 0;
  while (shared < a.length && a[shared]?.toLowerCase() === b[shared]?.toLowerCase()) shared++;
  return shared;
}

async function lookAt(
  file: string,
  { cwd, format, expansionRatioMax: ratio = LIMITS.expansionRatioMax }: FindOptions,
): Promise<SourceFile | Problem> {
  const inside = path.relative(cwd, file);
  const outside = inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside);
  const name = outside ? file : inside;
  try {
    const stats = await stat(file);
    await access(file, constants.R_OK);
    const problem = problemOf(name, stats);
    if (problem !== null) return problem;
    const kind = formatOfName(name, format);
    if ('sentence' in kind) return { code: 'ETL_FILE_FORMAT', name, ...kind };
    return {
      ...{ path: file, name, ...kind, bytes: stats.size, mtimeMs: stats.mtimeMs },
      ...(ratio === LIMITS.expansionRatioMax ? {} : { expansionRatioMax: ratio }),
    };
  } catch (error) {
    // Node puts this character where a name's bytes are no UTF-8, so that nothing has the name.
    if (name.includes('\ufffd') && (error as NodeJS.ErrnoException).code === 'ENOENT') {
      return {
        code: 'ETL_FILE_READ',
        name,
        sentence: 'Its name is not UTF-8.',
        remedy: 'Rename it, or link to it by another name.',
      };
    }
    return {
      code: 'ETL_FILE_READ',
      name,
      sentence: `It cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`,
      remedy: 'Check its permissions.',
    };
  }
}

function problemOf(name: string, stats: Stats): Problem | null {
  if (!stats.isFile()) {
    return {
      code: 'ETL_FILE_FORMAT',
      name,
      sentence: 'It is not a regular file.',
      remedy: 'Pipes and devices cannot be read twice: write their data to a file first.',
    };
  }
  if (stats.size > 0) return null;
  return {
    code: 'ETL_FILE_EMPTY',
    name,
    sentence: 'The file is empty (0 bytes).',
    remedy: 'Take it out of the load, or write it again.',
  };
}

function inOrder(files: readonly SourceFile[], order: FindOptions['order']): readonly SourceFile[] {
  const byName = (a: SourceFile, b: SourceFile): number => comparePaths(a.path, b.path);
  if (order !== 'mtime') return [...files].sort(byName);
  return [...files].sort((a, b) => a.mtimeMs - b.mtimeMs || byName(a, b));
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

const problemsShownMax = 20;

function errorOf(problems: readonly Problem[]): EtlError {
  const [first, ...others] = problems as readonly [Problem, ...Problem[]];
  if (others.length === 0) {
    return new EtlError(first.code, first.sentence, first.remedy, { file: first.name });
  }
  const shown = problems
    .slice(0, problemsShownMax)
    .map(({ name, sentence, remedy }) => `${name}: ${sentence} ${remedy}`);
  const more = problems.length - shown.length;
  return new EtlError(
    first.code,
    `${problems.length} of the input files cannot be loaded:`,
    'Nothing was loaded.',
    { problems: more > 0 ? [...shown, `and ${more} more`] : shown },
  );
}

function tooManyFiles(limit: number): EtlError {
  return new EtlError(
    'ETL_LIMIT',
    `The patterns find more than ${limit} files.`,
    'Load them in several runs.',
    { limit },
  );
}

function tooManyNames(pattern: string, limit: number): EtlError {
  return new EtlError(
    'ETL_LIMIT',
    `More than ${limit} names lie in the folders where the pattern looks.`,
    'Let it begin with the folder that is meant.',
    { file: pattern, limit },
  );
}
