import { expect, test } from 'vitest';
import { digestOf, type FileTree } from '../../../../tools/check/file-tree.ts';
import { isGround, STEPS } from '../../../../tools/check/steps.ts';

const TEXTS = {
  'README.md': 'about',
  'src/a.ts': 'export const a = 1;',
  'test/unit/a.test.ts': "import { a } from '../../src/a.ts';",
  'test/unit/b.test.ts': 'export {};',
  'test/integration/a.test.ts': "import { a } from '../../src/a.ts';",
};

/** What each step looks at again once the files have changed so. */
function openAfter(changes: Readonly<Record<string, string>>): Record<string, string[]> {
  const treeOf = (texts: Readonly<Record<string, string>>): FileTree =>
    new Map(
      Object.entries(texts).map(([path, text]) => [path, { text, digest: digestOf([text]) }]),
    );
  const open = STEPS.map(({ name, subjectsIn }) => {
    const known = new Set(subjectsIn(treeOf(TEXTS)).values());
    const subjects = [...subjectsIn(treeOf({ ...TEXTS, ...changes }))];
    return [name, subjects.flatMap(([path, digest]) => (known.has(digest) ? [] : [path]))] as const;
  });
  return Object.fromEntries(open);
}

test('each step looks again at what a change may concern, and at nothing else', () => {
  const nothing = { unit: [], 'types and lint': [], unused: [], format: [] };
  expect(openAfter({})).toEqual(nothing);
  expect(openAfter({ 'README.md': 'more' })).toEqual({ ...nothing, format: ['README.md'] });
  expect(openAfter({ 'src/a.ts': 'export const a = 2;' })).toEqual({
    unit: ['test/unit/a.test.ts'],
    'types and lint': ['the code'],
    unused: ['the code'],
    format: ['src/a.ts'],
  });
  expect(openAfter({ 'test/unit/c.test.ts': '' }).unit).toEqual(['test/unit/c.test.ts']);
});

test('a step that knows nothing looks at everything there is, by its own rules', () => {
  const words = STEPS.map((step) => step.words(['test/unit/a.test.ts'], true).join(' '));
  expect(words.filter((line) => line.includes('a.test.ts'))).toEqual([]);
  const some = STEPS.map((step) => step.words(['test/unit/a.test.ts'], false).at(-1));
  expect(some.filter((word) => word === 'test/unit/a.test.ts')).toHaveLength(2);
});

test('configuration and the check itself are what all steps depend on', () => {
  const ground = ['package.json', 'tsconfig.json', 'eslint.config.ts', 'vitest.config.ts'];
  const own = ['knip.json', '.prettierrc.json', '.prettierignore', 'tools/check.ts'];
  for (const path of [...ground, ...own, 'tools/check/steps.ts']) expect(isGround(path)).toBe(true);
  for (const path of ['README.md', 'config/dev.json', 'src/job/schema.ts', 'tools/oracle.ts']) {
    expect(isGround(path)).toBe(false);
  }
});
