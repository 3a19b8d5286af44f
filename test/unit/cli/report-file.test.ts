import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkReportPath, writeReportFile } from '../../../src/cli/report-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('replaces the file and leaves nothing beside it', async () => {
  await writeFile(join(folder, 'r.json'), 'old');
  await checkReportPath('r.json', folder);
  await writeReportFile('r.json', folder, 'new');
  expect(await readFile(join(folder, 'r.json'), 'utf8')).toBe('new');
  expect(await readdir(folder)).toEqual(['r.json']);
});

test.each(['no/such/r.json', '.'])('%s is refused before the load', async (path) => {
  await expect(checkReportPath(path, folder)).rejects.toMatchObject({
    record: { code: 'ETL_USAGE', facts: { file: path } },
  });
});

test('a failure to write is told, and nothing is left behind', async () => {
  await expect(writeReportFile('.', folder, 'x')).rejects.toMatchObject({ code: 'ETL_USAGE' });
  expect(await readdir(join(folder, '..'))).not.toContainEqual(expect.stringMatching(/\.tmp$/));
});

test('what is no regular file is written to and stays what it is', async () => {
  await checkReportPath('/dev/null', folder);
  await writeReportFile('/dev/null', folder, 'x');
  expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  expect(await readdir('/dev')).not.toContainEqual(expect.stringMatching(/^null\./));
});

test('a link stays a link, and leads to the new report', async () => {
  await writeFile(join(folder, 'r.json'), 'old');
  await symlink(join(folder, 'r.json'), join(folder, 'link.json'));
  await writeReportFile('link.json', folder, 'new');
  expect((await lstat(join(folder, 'link.json'))).isSymbolicLink()).toBe(true);
  expect(await readFile(join(folder, 'r.json'), 'utf8')).toBe('new');
});
