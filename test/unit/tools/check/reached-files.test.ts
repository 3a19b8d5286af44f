import { expect, test } from 'vitest';
import { digestOf, type FileTree } from '../../../../tools/check/file-tree.ts';
import { reachIn } from '../../../../tools/check/reached-files.ts';

type Texts = Readonly<Record<string, string>>;

function treeOf(texts: Texts): FileTree {
  return new Map(
    Object.entries(texts).map(([path, text]) => [path, { text, digest: digestOf([text]) }]),
  );
}

/** Which of the files reach something else once the tree has changed so. */
function changed(
  before: Texts,
  changes: Texts,
  built: readonly [Texts, Texts] = [{}, {}],
): string[] {
  const was = reachIn(treeOf(before), treeOf(built[0]));
  const is = reachIn(treeOf({ ...before, ...changes }), treeOf(built[1]));
  return Object.keys(before).filter((path) => was(path) !== is(path));
}

const TREE = {
  'src/deep.ts': 'export const deep = 1;',
  'src/near.ts': "export { deep } from './deep.ts';",
  'src/other.ts': '// Stands beside ./deep.ts, and knows nothing of it.\nexport const other = 2;',
  'test/near.test.ts': "import { deep } from '../src/near.ts';",
  'test/late.test.ts': "const { deep } = await import('../src/deep.ts');",
  'test/other.test.ts': "import { other } from '../src/other.ts';",
};

test('whoever imports a file, and whoever imports them, is changed with it', () => {
  expect(changed(TREE, { 'src/deep.ts': 'export const deep = 3;' })).toEqual([
    'src/deep.ts',
    'src/near.ts',
    'test/near.test.ts',
    'test/late.test.ts',
  ]);
  expect(changed(TREE, { 'test/other.test.ts': '' })).toEqual(['test/other.test.ts']);
  expect(changed(TREE, {})).toEqual([]);
});

test.for([
  ['a folder', "new URL('../data/', import.meta.url)"],
  ['the beginning of a path', 'new URL(`../data/${name}.csv`, import.meta.url)'],
  ['a pattern from the root', "globSync('data/*.csv')"],
  ['a file from the root', "readFileSync('data/a.csv')"],
] as const)('%s is a mention of what lies there', ([, code]) => {
  const tree = { 'test/a.test.ts': code, 'test/b.test.ts': '', 'data/a.csv': '1' };
  expect(changed(tree, { 'data/a.csv': '2' })).toContain('test/a.test.ts');
  expect(changed(tree, { 'test/c.test.ts': '' })).toEqual([]);
  const comes = changed(tree, { 'data/b.csv': '' });
  expect(comes).toEqual(code.includes('a.csv') ? [] : ['test/a.test.ts']);
});

test.for([
  "const root = new URL('../', import.meta.url);",
  'const here = import.meta.dirname;',
  'const here = dirname(fileURLToPath(import.meta.url));',
  'const root = process.cwd();',
])('%s may read every file', (code) => {
  const tree = {
    'test/a.test.ts': code,
    'test/b.test.ts': "import './a.test.ts';",
    'README.md': '',
  };
  const all = ['test/a.test.ts', 'test/b.test.ts'];
  expect(changed(tree, { 'README.md': 'more' })).toEqual([...all, 'README.md']);
  expect(changed(tree, { 'docs/new.md': '' })).toEqual(all);
});

test.for(["import { run } from 'parallel-upsert';", "new URL('../dist/src/cli/main.js', url)"])(
  '%s depends on what was built',
  (code) => {
    const tree = { 'test/a.test.ts': code, 'test/b.test.ts': '' };
    const built = [{ 'src/index.js': '1' }, { 'src/index.js': '2' }] as const;
    expect(changed(tree, {}, built)).toEqual(['test/a.test.ts']);
  },
);
