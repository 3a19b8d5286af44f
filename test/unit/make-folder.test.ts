import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from '../../src/make-folder.ts';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'etl-folders-'));
});
afterAll(() => rm(home, { recursive: true }));

test('folders that are missing are made, and told of, outermost first', async () => {
  const path = join(home, 'a/b/c');
  expect(await makeFolder(path, 0o700)).toEqual([join(home, 'a'), join(home, 'a/b'), path]);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect(await makeFolder(path)).toEqual([]);
});

test('several that make the same one all have it', async () => {
  const made = await Promise.all([1, 2, 3].map(() => makeFolder(join(home, 'same/one'))));
  expect(made.flat().sort()).toEqual([join(home, 'same'), join(home, 'same/one')]);
});

test('what is no folder, or leads nowhere, is refused', async () => {
  await writeFile(join(home, 'file'), '');
  await symlink(join(home, 'nowhere/at/all'), join(home, 'link'));
  await expect(makeFolder(join(home, 'file'))).rejects.toThrow('EEXIST');
  await expect(makeFolder(join(home, 'file/below'))).rejects.toThrow('ENOTDIR');
  await expect(makeFolder(join(home, 'link'))).rejects.toThrow('EEXIST');
});

test.runIf(process.platform === 'linux')(
  'a file system that answers ENOENT, though the folder above is there, is asked twice and not for ever',
  async () => {
    await expect(makeFolder('/proc/no-such-folder/below')).rejects.toThrow('ENOENT');
  },
);
