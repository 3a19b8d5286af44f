import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkTypes } from '../../../../tools/check/affected-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-affected-'));
  const options = { lib: ['es5'], types: [], strict: true, module: 'nodenext', noEmit: true };
  await write({
    'tsconfig.json': JSON.stringify({ compilerOptions: options, include: ['*.ts'] }),
    'package.json': '{ "type": "module" }',
    'one.ts': 'export function one() { return 1; }',
    'two.ts': "import { one } from './one.js'; export const two = one() + 1;",
    'apart.ts': 'export const apart = 3;',
  });
});
afterEach(() => rm(folder, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

function check(remembers = true): { affected: string[]; problems: number[] } {
  const types = checkTypes(join(folder, 'tsconfig.json'), join(folder, 'kept/types.json'));
  if (remembers) types.remember();
  const own = types.affected.filter((path) => path.startsWith(folder));
  return {
    affected: own.map((path) => basename(path)).sort(),
    problems: types.problems.map(({ code }) => code),
  };
}

test('what is not remembered is all affected, what is remembered only where it can be', async () => {
  const all = ['apart.ts', 'one.ts', 'two.ts'];
  expect(check(false)).toEqual({ affected: all, problems: [] });
  expect(check()).toEqual({ affected: all, problems: [] });
  expect(check()).toEqual({ affected: [], problems: [] });
  await write({ 'one.ts': 'export function one() { return 1 + 1; }' });
  expect(check()).toEqual({ affected: ['one.ts'], problems: [] });
});

test('a declaration that changes affects its importers, until that is remembered', async () => {
  check();
  await write({ 'one.ts': "export function one(): string { return '1'; }" });
  expect(check(false)).toEqual({ affected: ['one.ts', 'two.ts'], problems: [] });
  expect(check()).toEqual({ affected: ['one.ts', 'two.ts'], problems: [] });
  await write({ 'one.ts': 'export const changed = 1;' });
  const notExported = 2305;
  expect(check(false)).toEqual({ affected: ['one.ts', 'two.ts'], problems: [notExported] });
  expect(check(false).problems).toEqual([notExported]);
});
