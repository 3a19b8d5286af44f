import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDynamicPattern } from 'tinyglobby';
import { comparePaths, inNaturalOrder } from '../conflict/precedence.ts';
import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { expandPattern } from './expand-pattern.ts';
import { lookAtFiles, type Problem } from './look-at-files.ts';
import type { SourceFile } from './source-file.ts';

export interface FindOptions {
  readonly cwd: string;
  /**
   * Precedence among the files of one pattern: `name` by natural order of path, `mtime` by time of
   * modification, then name. `listed` says that the patterns are the order; what a glob among them
   * finds goes by name.
   */
  readonly order: 'name' | 'mtime' | 'listed';
  /** Format of files whose name does not tell; `document` is that of all files, whatever their names. */
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
    const looks = await lookAtFiles(paths, options);
    const files = looks.filter((look) => 'path' in look);
    for (const look of looks) if ('code' in look) problems.push(look);
    const ordered = inOrder(files, order);
    // Nothing is found twice then; the paths of a hundred thousand as keys of a map took 0.1 s.
    if (patterns.length === 1 && problems.length === 0) return ordered;
    for (const file of ordered) {
      if (!found.has(file.path)) found.set(file.path, file);
    }
  }
  if (problems.length > 0) throw errorOf(problems);
  return [...found.values()];
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
      remedy: `Write '${path.posix.join(pattern, '**/*.csv')}' for the CSV files in it, with the quotes.`,
    });
    return [];
  }
  if (stats !== null) return [literal];
  // What a backslash takes its meaning from is none, and would be taken for what begins a group.
  if (!isDynamicPattern(pattern.replaceAll(/\\./gs, '_'))) {
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

function inOrder(files: readonly SourceFile[], order: FindOptions['order']): readonly SourceFile[] {
  if (order !== 'mtime') return inNaturalOrder(files);
  return [...files].sort((a, b) => a.mtimeMs - b.mtimeMs || comparePaths(a.path, b.path));
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
    'Begin the pattern with the folder that is meant.',
    { file: pattern, limit },
  );
}
