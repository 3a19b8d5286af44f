import { digestOfFiles, readTree, type FileTree } from './file-tree.ts';
import { reachIn } from './reached-files.ts';

/** A tool that looks at the checkout, and what of it. */
export interface Step {
  readonly name: string;
  /** What the tool looks at one by one: each with a digest of all that decides what it finds. */
  readonly subjectsIn: (tree: FileTree) => ReadonlyMap<string, string>;
  /** The words after `node` with which it looks at these subjects; at `all` there are, if so. */
  readonly words: (subjects: readonly string[], all: boolean) => readonly string[];
}

/** Where the check and its tools keep what they know of a checkout. */
export const KEPT = 'node_modules/.cache/check';

/** Files that every step depends on, beside what it looks at. */
export function isGround(path: string): boolean {
  return /^(?:tools\/check(?:\/.*)?\.ts|package\.json|\.[^/]*|[^/]*config[^/]*|knip\.json)$/.test(
    path,
  );
}

const isCode = (path: string): boolean => /\.(?:[cm]?[jt]s|json)$/.test(path);

export const STEPS: readonly Step[] = [
  {
    name: 'unit',
    subjectsIn: (tree) => {
      const reach = reachIn(tree, readTree('dist'));
      const tests = [...tree.keys()].filter((path) => /^test\/unit\/.*\.test\.ts$/.test(path));
      return new Map(tests.map((path) => [path, reach(path)]));
    },
    words: (tests, all) => [
      ...['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'dot'],
      ...(all ? [] : tests),
    ],
  },
  {
    // TypeScript knows best which files a change reaches, see affected-files.ts.
    name: 'types and lint',
    subjectsIn: (tree) => new Map([['the code', digestOfFiles(tree, isCode)]]),
    words: () => ['--import', 'tsx', 'tools/check/types-and-lint.ts', `${KEPT}/types.json`],
  },
  {
    name: 'unused',
    subjectsIn: (tree) => new Map([['the code', digestOfFiles(tree, isCode)]]),
    words: () => ['node_modules/knip/bin/knip.js'],
  },
  {
    name: 'format',
    subjectsIn: (tree) => new Map([...tree].map(([path, { digest }]) => [path, digest])),
    words: (files, all) => [
      ...['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn'],
      ...(all ? ['.'] : ['--ignore-unknown', ...files]),
    ],
  },
];
