import { posix } from 'node:path';
import { digestOf, digestOfFiles, type FileTree } from './file-tree.ts';

/**
 * Of all files that a module reaches: a digest that changes when any of them does, comes or goes.
 * `built`: what `npm run build` made, which some reach, too.
 *
 * A module reaches what it mentions, and so on. Every word in its code that names a file or a folder,
 * from where it stands or from the root, is a mention: an import, `new URL('../config/', …)`, the
 * beginning of `../data/${name}.csv`. That finds more than there is, and what is found too much costs
 * some seconds; what is not found would hide a failure. A module that names the root, or asks where
 * it stands, may read every file.
 */
export function reachIn(tree: FileTree, built: FileTree): (path: string) => string {
  const places = placesIn(tree);
  const everything = digestOfFiles(tree, () => true);
  const everythingBuilt = digestOfFiles(built, () => true);
  const known = new Map<string, Mentions>();
  const mentionsOf = (path: string): Mentions => {
    const mentions = known.get(path) ?? mentionsIn(tree.get(path)?.text ?? '', path, places);
    known.set(path, mentions);
    return mentions;
  };
  return (start) => {
    const reached = new Set([start]);
    const more = { all: '', built: '' };
    for (const path of reached) {
      const mentions = mentionsOf(path);
      if (mentions.all) more.all = everything;
      if (mentions.built) more.built = everythingBuilt;
      for (const each of mentions.files) reached.add(each);
    }
    const files = [...reached].sort().flatMap((path) => [path, tree.get(path)?.digest ?? '']);
    return digestOf([more.all, more.built, ...files]);
  };
}

/** What a module says of other files. */
interface Mentions {
  readonly files: readonly string[];
  /** It may read any file. */
  readonly all: boolean;
  /** It runs what `npm run build` makes. */
  readonly built: boolean;
}

const CODE = /\.[cm]?[jt]s$/;
const COMMENT_LINE = /^\s*(?:\/\/|\/?\*)/;
const WORD = /[\w@.-]+(?:\/[\w@.-]*)*/g;
/** After these, a path goes on with what only the running code knows. */
const GOES_ON = new Set(['$', '*', '?', '[', '{']);
const BUILT = /(?:\bfrom |\bimport\()'parallel-upsert'|\.\/dist\//;
const OWN_PLACE = /\bimport\.meta\.(?:dirname|filename)|fileURLToPath\(import\.meta\.url\)/;
/** In `src`, the working folder is only where a path of somebody else's begins. */
const OWN_OR_WORKING_PLACE = new RegExp(`${OWN_PLACE.source}|\\bprocess\\.cwd\\(\\)`);
/** Stands for every file. */
const ROOT = '.';

interface Places {
  readonly files: ReadonlySet<string>;
  /** The files below each folder; of the root, `ROOT` itself. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
  /** The last names of all of these: most words of a module are none of them. */
  readonly names: ReadonlySet<string>;
}

function placesIn(tree: FileTree): Places {
  const folders = new Map<string, string[]>([[ROOT, [ROOT]]]);
  for (const path of tree.keys()) {
    for (let folder = posix.dirname(path); folder !== ROOT; folder = posix.dirname(folder)) {
      const within = folders.get(folder) ?? [];
      within.push(path);
      folders.set(folder, within);
    }
  }
  const names = [...tree.keys(), ...folders.keys()].map((path) => posix.basename(path));
  const bare = names.map((name) => name.replace(/\.ts$/, ''));
  return {
    files: new Set([...tree.keys(), ROOT]),
    folders,
    names: new Set([...names, ...bare, '..']),
  };
}

function mentionsIn(text: string, path: string, places: Places): Mentions {
  const code = CODE.test(path) ? text.split('\n').filter((line) => !COMMENT_LINE.test(line)) : [];
  const asks = path.startsWith('src/') ? OWN_PLACE : OWN_OR_WORKING_PLACE;
  const files = new Set<string>();
  for (const line of code) {
    for (const match of line.matchAll(WORD)) {
      const goesOn = GOES_ON.has(line[match.index + match[0].length] ?? '');
      for (const each of filesNamed(match[0], goesOn, posix.dirname(path), places)) files.add(each);
    }
  }
  const all = files.has(ROOT) || code.some((line) => asks.test(line));
  files.delete(ROOT);
  return { files: [...files], all, built: code.some((line) => BUILT.test(line)) };
}

function filesNamed(
  word: string,
  goesOn: boolean,
  from: string,
  { files, folders, names }: Places,
): readonly string[] {
  const slash = word.lastIndexOf('/');
  const named = goesOn ? word.slice(0, slash + 1) : word;
  const trimmed = named.replace(/\/+$/, '');
  // `../${…}` alone says nothing: what it goes on with is a word elsewhere.
  if (trimmed === '' || (goesOn && /^[./]+$/.test(trimmed))) return [];
  if (!names.has(posix.basename(trimmed))) return [];
  return (word.startsWith('.') ? [from] : [from, ROOT]).flatMap((base) => {
    const path = posix.join(base, trimmed);
    // A word alone would be too much: there is a module for `index`, and a folder for `test`.
    const bare = slash === -1 ? [] : [`${path}.ts`, ...(folders.get(path) ?? [])];
    return [path, ...bare].filter((each) => files.has(each));
  });
}
