import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { againInOneRead, inOneRead, isSmall } from '../../../src/source/in-one-read.ts';
import { temporaryFolder, textOf, writeSource } from './temporary-files.ts';

const folder = temporaryFolder();

describe.each([
  ['a first read', inOneRead],
  ['another read', againInOneRead],
])('%s', (_, read) => {
  it('gives all bytes in one chunk', async () => {
    const text = 'a,b\n'.repeat(10_000);
    const chunks: Buffer[] = [];
    for await (const chunk of read(writeSource(folder, 'one.csv', text))) chunks.push(chunk);
    expect(chunks.map(String)).toEqual([text]);
  });

  it.each([-1, 1])('tells that the file has changed by %d bytes', async (by) => {
    const file = writeSource(folder, 'changed.csv', 'a,b\n');
    await expect(textOf(read({ ...file, bytes: file.bytes + by }))).rejects.toMatchObject({
      code: 'ETL_FILE_CHANGED',
    });
  });

  it('tells that the file is gone', async () => {
    const file = writeSource(folder, 'gone.csv', 'a,b\n');
    rmSync(file.path);
    await expect(textOf(read(file))).rejects.toMatchObject({
      code: 'ETL_FILE_READ',
      message: expect.stringContaining('ENOENT') as unknown,
    });
  });
});

it('takes up to 64 KiB that are not compressed for small', () => {
  const file = writeSource(folder, 'small.csv', 'a');
  expect(isSmall({ ...file, bytes: 65_536 })).toBe(true);
  expect(isSmall({ ...file, bytes: 65_537 })).toBe(false);
  expect(isSmall({ ...file, compression: 'gzip' })).toBe(false);
});
