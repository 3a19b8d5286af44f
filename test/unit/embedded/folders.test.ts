import { randomBytes } from 'node:crypto';
import { chown, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFolders, openFolders } from '../../../src/embedded/folders.ts';

const isRoot = process.getuid?.() === 0;

let place: string;
beforeEach(async () => {
  place = join(tmpdir(), `etl-folders-${randomBytes(6).toString('hex')}`);
  await mkdir(place, { mode: 0o755 });
});
afterEach(() => rm(place, { recursive: true }));

test('a folder that does not exist is not found', async () => {
  expect(await findFolders(join(place, 'none'))).toBeNull();
});

test('a path that is a file is refused with what to do', async () => {
  const file = join(place, 'file');
  await writeFile(file, '');
  await expect(openFolders(file)).rejects.toMatchObject({ code: 'ETL_EMBEDDED' });
  await expect(openFolders(file)).rejects.toThrow(/ETL_EMBEDDED_DIR/);
});

test.runIf(process.platform === 'linux')(
  'a file system that makes no folders is no reason to try for ever',
  async () => {
    const opened = openFolders('/proc/no-such-folder/home');
    await expect(opened).rejects.toMatchObject({ code: 'ETL_EMBEDDED' });
  },
);

test('two spellings of one folder are one layout; its socket folder is private', async () => {
  const home = join(place, 'home');
  await symlink(home, join(place, 'link'));
  const layout = await openFolders(home);
  expect(await openFolders(join(place, 'link'))).toEqual(layout);
  expect(await findFolders(join(place, 'link'))).toEqual(layout);
  expect((await stat(layout.socketDir)).mode & 0o777).toBe(0o700);
  expect((await stat(home)).mode & 0o777).toBe(isRoot ? 0o711 : 0o700);
});

test('a folder that was there before keeps its mode', async () => {
  await openFolders(place);
  expect((await stat(place)).mode & 0o777).toBe(0o755);
});

test("a folder behind a closed one serves its owner, but not root's server", async () => {
  await mkdir(join(place, 'closed'), { mode: 0o700 });
  const opened = openFolders(join(place, 'closed', 'home'));
  if (isRoot) await expect(opened).rejects.toThrow(/nobody, who may not pass through .*closed\b/);
  else expect((await opened).home).toMatch(/closed\/home$/);
});

test("another user's folder is not taken over", async () => {
  // Root can give a folder away; everybody else finds one of root's.
  const other = isRoot ? join(place, 'other') : '/usr';
  if (isRoot) {
    await mkdir(other, { mode: 0o755 });
    await chown(other, 12_345, 12_345);
  }
  await expect(openFolders(other)).rejects.toThrow(/belongs to another user/);
});
