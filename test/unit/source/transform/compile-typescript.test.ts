import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import {
  adoptCompiled,
  compiledModules,
  compileTypeScript,
} from '../../../../src/source/transform/compile-typescript.ts';
import { digestOf } from '../../../../src/source/transform/transpile.ts';
import { temporaryFolder } from '../temporary-files.ts';

const folder = temporaryFolder();
const NOWHERE = '/nowhere/typescript.js';

test('a module that is known needs no compiler, and one that was written to does', async () => {
  const path = join(folder, 'main.ts');
  const text = 'export const one: number = 1;';
  writeFileSync(path, text);
  adoptCompiled({ [digestOf(text)]: 'export const one = 1;' });
  await expect(compileTypeScript(path, NOWHERE)).resolves.toEqual(compiledModules());
  writeFileSync(path, `${text} // changed`);
  await expect(compileTypeScript(path, NOWHERE)).rejects.toThrow();
});

test('what another thread has compiled is taken, and the oldest forgotten', () => {
  const modules = Array.from({ length: LIMITS.compiledModulesMax + 2 }, (_, place) => `m${place}`);
  adoptCompiled(Object.fromEntries(modules.map((name) => [name, 'export {}'])));
  expect(Object.keys(compiledModules())).toEqual(modules.slice(2));
});
