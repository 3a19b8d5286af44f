import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { readAhead } from '../../../src/source/read-ahead.ts';
import { temporaryFolder, writeSource } from './temporary-files.ts';

const folder = temporaryFolder();
const content = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));
const file = writeSource(folder, 'bytes.csv', content).path;

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it.each([true, false])('reads a range in chunks of any size (reuse: %s)', async (reuse) => {
  const places = fc.tuple(fc.nat(1_000), fc.nat(1_200), fc.integer({ min: 1, max: 1_100 }));
  await fc.assert(
    fc.asyncProperty(places, async ([a, b, readBytes]) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const read: Buffer[] = [];
      for await (const chunk of readAhead(file, { from, to, readBytes, reuse })) {
        expect(chunk.length).toBeLessThanOrEqual(readBytes);
        // The chunk stays as it is while the next one is read.
        if (readBytes > 100) await turn();
        read.push(Buffer.from(chunk));
      }
      expect(Buffer.concat(read)).toEqual(content.subarray(from, to));
    }),
    { numRuns: 60 },
  );
});

it('reads to the end of the file', async () => {
  const read: Buffer[] = [];
  const reading = { from: 990, to: Infinity, readBytes: 4, reuse: false };
  for await (const chunk of readAhead(file, reading)) read.push(chunk);
  expect(Buffer.concat(read)).toEqual(content.subarray(990));
});

it('reads into two buffers by turns, or into one for each chunk', async () => {
  const memories = async (reuse: boolean): Promise<number> => {
    const seen = new Set<ArrayBufferLike>();
    for await (const chunk of readAhead(file, { from: 0, to: 1_000, readBytes: 100, reuse })) {
      seen.add(chunk.buffer);
    }
    return seen.size;
  };
  expect(await memories(true)).toBe(2);
  expect(await memories(false)).toBe(10);
});

it('closes the file when it is left early', async () => {
  const open = vi.spyOn(fs.promises, 'open');
  syncBuiltinESMExports();
  for await (const chunk of readAhead(file, { from: 0, to: 1_000, readBytes: 10, reuse: true })) {
    expect(chunk.length).toBe(10);
    break;
  }
  // Node's own sign of a handle that is closed.
  expect(open.mock.settledResults.map(({ value }) => (value as FileHandle).fd)).toEqual([-1]);
});

it('throws what the system says', async () => {
  const read = async (where: string): Promise<void> => {
    for await (const chunk of readAhead(where, { from: 0, to: 9, readBytes: 9, reuse: true })) {
      expect(chunk).toBeDefined();
    }
  };
  await expect(read(path.join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(read(folder)).rejects.toMatchObject({ code: 'EISDIR' });
});
