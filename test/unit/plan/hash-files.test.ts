import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hashFiles } from '../../../src/plan/hash-files.ts';
import { temporaryFolder, writeSource } from '../source/temporary-files.ts';

const folder = temporaryFolder();
const WINDOW = 256 * 1024;

it('hashes small and large files', async () => {
  const sizes = [0, 1, 20_000, WINDOW - 1, WINDOW, 7, WINDOW + 1, 1024 * 1024 + 3];
  const contents = sizes.map((bytes, place) => Buffer.alloc(bytes, `content ${place} `));
  const files = contents.map((content, place) => writeSource(folder, `${place}.csv`, content));
  const hashes = await hashFiles(files, undefined);
  expect(files.map(({ path }) => hashes.get(path))).toEqual(
    contents.map((content) => createHash('sha256').update(content).digest('hex')),
  );
});

it('leaves out what is not as it was planned', async () => {
  const file = writeSource(folder, 'as-it-was.csv', 'a,b\n');
  const gone = writeSource(folder, 'gone.csv', 'a,b\n');
  rmSync(gone.path);
  const grown = { ...writeSource(folder, 'grown.csv', 'a,b\n1,2\n'), bytes: 4 };
  const written = { ...writeSource(folder, 'written.csv', 'a,b\n'), mtimeMs: 1 };
  const hashes = await hashFiles([gone, grown, file, written], undefined);
  expect([...hashes.keys()]).toEqual([file.path]);
});

it('ends where the plan is given up', async () => {
  const files = [writeSource(folder, 'one.csv', 'a\n'), writeSource(folder, 'two.csv', 'b\n')];
  const reason = new Error('given up');
  await expect(hashFiles(files, AbortSignal.abort(reason))).rejects.toBe(reason);
});
