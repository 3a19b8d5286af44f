import fs from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { glob } from 'tinyglobby';

/** What a pattern finds. */
export interface Expansion {
  /** Absolute, in no order. */
  readonly paths: readonly string[];
  /** Folders that could not be listed, so that files in them may be missing, and why. */
  readonly unreadable: readonly { readonly folder: string; readonly code: string }[];
  /** More names were met than may be looked at; `paths` is only a part then. */
  readonly cut: boolean;
}

/**
 * Expands a glob. Links are followed, to files and to folders, wherever they lead: whoever may
 * write to the folder says what is loaded. A path that comes through one folder twice is left out,
 * so a link to a folder above it ends; a file that two other paths reach counts for each of them,
 * as the order of precedence may need it in both places. A link that leads nowhere, a pipe or a socket of
 * a name that is meant is found like a file, so that whoever looks at it tells of it: a load that leaves it
 * out without a word lacks what should be there.
 *
 * The names are counted as the folders are listed: a pattern that goes astray (`/` and two stars)
 * ends at `namesMax`, with the memory of that many.
 */
export async function expandPattern(
  pattern: string,
  cwd: string,
  namesMax: number,
): Promise<Expansion> {
  const unreadable: { folder: string; code: string }[] = [];
  const stop = new AbortController();
  let names = 0;
  const readdir = (folder: string, options: object, done: Listed): void => {
    fs.readdir(folder, { ...options, withFileTypes: true }, (error, entries) => {
      if (error !== null) {
        if (mayHoldFiles(folder, error.code)) {
          unreadable.push({ folder, code: error.code ?? error.message });
        }
        done(error, []);
        return;
      }
      names += entries.length;
      if (names > namesMax) stop.abort();
      if (stop.signal.aborted) done(null, []);
      else void withWhatIsNone(folder, entries).then((seen) => done(null, seen));
    });
  };
  const [folder, rest] = path.isAbsolute(pattern) ? plainFolder(pattern) : [cwd, pattern];
  const found = await glob(rest, {
    ...{ cwd: folder, absolute: true, expandDirectories: false, signal: stop.signal },
    fs: { readdir: readdir as typeof fs.readdir },
  });
  const cut = stop.signal.aborted;
  return { paths: cut ? [] : await withoutLoops(found), unreadable, cut };
}

const NOT_PLAIN = /[^\p{L}\p{N}_./ -]/u;

/**
 * The folder above all that an absolute pattern may mean, and the rest of the pattern: below its own folder
 * names are cut from paths, and below any other the way from there is sought, for each of them, which took
 * a third of the time. A folder of a name with characters that a pattern gives a meaning belongs to the
 * rest, and so does the one above a `!` that would begin it.
 */
function plainFolder(pattern: string): readonly [folder: string, rest: string] {
  const { root } = path.parse(pattern);
  const segments = pattern.slice(root.length).split('/');
  let plain = segments.findIndex(
    (segment, at) => at === segments.length - 1 || NOT_PLAIN.test(segment),
  );
  if (segments[plain]?.startsWith('!') === true) plain -= 1;
  if (plain <= 0) return [root, pattern];
  return [path.join(root, ...segments.slice(0, plain)), segments.slice(plain).join('/')];
}

type Listed = (error: NodeJS.ErrnoException | null, entries: readonly fs.Dirent[]) => void;

/** Not a folder that has gone, or is none; nor the one that file systems keep for themselves. */
function mayHoldFiles(folder: string, code: string | undefined): boolean {
  return !['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code ?? '') && !/lost\+found\/?$/.test(folder);
}

/** What is neither a file nor a folder, nor leads to one, as if it were a file. */
async function withWhatIsNone(
  folder: string,
  entries: readonly fs.Dirent[],
): Promise<readonly fs.Dirent[]> {
  // As a rule there is nothing of the kind, and a folder may have a hundred thousand entries.
  if (entries.every((entry) => entry.isFile() || entry.isDirectory())) return entries;
  const isNone = async (entry: fs.Dirent): Promise<boolean> => {
    if (!entry.isSymbolicLink()) return !entry.isFile() && !entry.isDirectory();
    const led = await stat(path.join(folder, entry.name)).catch(() => null);
    return led?.isFile() !== true && led?.isDirectory() !== true;
  };
  const asFile = { isFile: { value: () => true }, isSymbolicLink: { value: () => false } };
  return Promise.all(
    entries.map(async (entry) =>
      (await isNone(entry)) ? (Object.create(entry, asFile) as fs.Dirent) : entry,
    ),
  );
}

async function withoutLoops(paths: readonly string[]): Promise<readonly string[]> {
  const known = new Map<string, Promise<ReadonlySet<string> | null>>();
  const kept: string[] = [];
  let last = '';
  let loops = false;
  for (const file of paths) {
    // As a rule the next path is of the same folder.
    const same = file.lastIndexOf('/') === last.length && file.startsWith(last);
    const folder = same ? last : path.dirname(file);
    if (folder !== last) loops = (await realFolders(folder, known)) === null;
    last = folder;
    if (!loops) kept.push(file);
  }
  return kept;
}

/** The real folders that a path goes through, itself among them; null where one comes twice. */
function realFolders(
  folder: string,
  known: Map<string, Promise<ReadonlySet<string> | null>>,
): Promise<ReadonlySet<string> | null> {
  const before = known.get(folder);
  if (before !== undefined) return before;
  const parent = path.dirname(folder);
  const above = parent === folder ? Promise.resolve(new Set<string>()) : realFolders(parent, known);
  const folders = Promise.all([above, realpath(folder).catch(() => folder)]).then(
    ([passed, real]) => (passed === null || passed.has(real) ? null : new Set([...passed, real])),
  );
  known.set(folder, folders);
  return folders;
}
