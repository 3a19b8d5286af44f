import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realPaths } from '../../../src/source/real-paths.ts';

describe('where files lie', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'etl-real-')));
    await mkdir(join(folder, 'real'));
    await writeFile(join(folder, 'real', 'a.csv'), 'id\n1\n');
    await symlink('real', join(folder, 'linked'));
    await symlink('../real/a.csv', join(folder, 'real', 'b.csv'));
    await symlink('nowhere', join(folder, 'dangling.csv'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['itself', 'real/a.csv', 'real/a.csv'],
    ['in a linked folder', 'linked/a.csv', 'real/a.csv'],
    ['a link', 'real/b.csv', 'real/a.csv'],
    ['a link in a linked folder', 'linked/b.csv', 'real/a.csv'],
    ['gone', 'linked/gone.csv', 'real/gone.csv'],
    ['a link to nothing', 'dangling.csv', 'dangling.csv'],
    ['in a folder that is gone', 'no/a.csv', 'no/a.csv'],
  ])('%s', async (_, path, real) => {
    expect(await realPaths([join(folder, path)])).toEqual([join(folder, real)]);
  });

  it('of many files, in their order', async () => {
    const names = Array.from({ length: 2_500 }, (_, place) => `${place}.csv`);
    const linked = names.map((name) => join(folder, 'linked', name));
    expect(await realPaths(linked)).toEqual(names.map((name) => join(folder, 'real', name)));
  });
});
