import { createHash } from 'node:crypto';
import { copyFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { decompressed } from '../../../src/source/compression.ts';
import { zstdFrame } from '../../support/zstd-frame.ts';
import { bytesOf, sourceOf, temporaryFolder, textOf, writeSource } from './temporary-files.ts';

const folder = temporaryFolder();
const fixtures = new URL('../../corpus/files/csv/', import.meta.url).pathname;

function skippableFrame(content: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

/** Every read size up to 40 bytes moves the borders through all members and frames. */
async function readAtEverySize(name: string, content: Buffer, expected: string): Promise<void> {
  const file = writeSource(folder, name, content);
  for (let readBytes = 1; readBytes <= 40; readBytes++) {
    const source = decompressed(file, { readBytes });
    expect(await textOf(source.chunks)).toBe(expected);
    expect(source.bytesRead()).toBe(content.length);
  }
}

describe('what is read', () => {
  it('is the file itself, with its size and hash', async () => {
    const file = writeSource(folder, 'plain.csv', 'a,b\n1,2\n');
    const source = decompressed(file);
    expect(await textOf(source.chunks)).toBe('a,b\n1,2\n');
    expect(source.bytesRead()).toBe(8);
    expect(source.contentHash()).toBe(createHash('sha256').update('a,b\n1,2\n').digest('hex'));
  });

  it('is all members of a gzip file', async () => {
    const content = Buffer.concat([gzipSync('a,b\n'), gzipSync(''), gzipSync('1,2\n3,4\n')]);
    await readAtEverySize('members.csv.gz', content, 'a,b\n1,2\n3,4\n');
  });

  it('is all frames of a Zstandard file, without the skippable ones', async () => {
    const content = Buffer.concat([
      zstdFrame(Buffer.from('a,b\n'), 3),
      skippableFrame('not data'),
      zstdFrame(Buffer.alloc(0)),
      zstdFrame(Buffer.from('1,2\n3,4\n'), 5),
    ]);
    await readAtEverySize('frames.csv.zst', content, 'a,b\n1,2\n3,4\n');
  });

  it('is what the zstd tool compressed, 3 MB in two frames with checksums', async () => {
    const file = sourceOf(path.join(fixtures, 'two-frames.csv.zst'));
    const bytes = await bytesOf(decompressed(file).chunks);
    expect(bytes.length).toBe(2_756_009);
    expect(bytes.toString().split('\n').slice(-2)).toEqual(['999,value 999', '']);
  });

  it.each([1, 2, 3])(
    "is a frame that fills the decoder's buffer %i times exactly",
    async (times) => {
      const content = Buffer.alloc(times * 1024 * 1024, 'x');
      const file = writeSource(folder, `full${times}.csv.zst`, zstdFrame(content, 100_000));
      expect((await bytesOf(decompressed(file).chunks)).equals(content)).toBe(true);
    },
  );

  it('hashes the bytes on disk, not the decompressed ones', async () => {
    const content = gzipSync('a\n1\n');
    const source = decompressed(writeSource(folder, 'hash.csv.gz', content));
    await textOf(source.chunks);
    expect(source.contentHash()).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('interleaves streams of one thread', async () => {
    const files = ['x', 'y', 'z'].map((letter) => {
      const content = zstdFrame(Buffer.from(letter.repeat(50_000)), 700);
      return writeSource(folder, `${letter}.csv.zst`, content);
    });
    const texts = await Promise.all(
      files.map((file) => textOf(decompressed(file, { readBytes: 999 }).chunks)),
    );
    expect(texts).toEqual(['x'.repeat(50_000), 'y'.repeat(50_000), 'z'.repeat(50_000)]);
  });
});

describe('what goes wrong', () => {
  async function problem(name: string, content: Buffer | string): Promise<string> {
    const file = writeSource(folder, name, content);
    try {
      await bytesOf(decompressed(file).chunks);
    } catch (error) {
      if (error instanceof EtlError) return error.message;
      throw error;
    }
    return 'no error';
  }
  const gzipped = gzipSync('some text that is long enough, '.repeat(100));
  const flipped = (bytes: Buffer, index: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[index] = (copy[index] ?? 0) ^ 0xff;
    return copy;
  };

  it.each([
    ['cut.csv.gz', gzipped.subarray(0, -9), 'it ends before its data is complete'],
    ['data.csv.gz', flipped(gzipped, 20), 'invalid'],
    ['crc.csv.gz', flipped(gzipped, gzipped.length - 6), 'incorrect data check'],
    ['text.csv.gz', 'a,b\n1,2\n', 'incorrect header check'],
    ['text.csv.zst', 'a,b\n1,2\n', 'it is not Zstandard data'],
    ['cut.csv.zst', zstdFrame(Buffer.alloc(5000)).subarray(0, -1), 'it ends before its data'],
    ['head.csv.zst', zstdFrame(Buffer.alloc(5000)).subarray(0, 6), 'it ends before its data'],
    ['block.csv.zst', flipped(zstdFrame(Buffer.from('a'.repeat(5000))), 13), 'its data is corrupt'],
    [
      'tail.csv.zst',
      Buffer.concat([zstdFrame(Buffer.from('a\n')), Buffer.from('trailing rubbish')]),
      'it is not Zstandard data',
    ],
  ])('names the file and what is wrong: %s', async (name, content, what) => {
    const message = await problem(name, content);
    expect(message).toContain(`${name}: The ${name.endsWith('gz') ? 'gzip' : 'zstd'} file cannot`);
    expect(message).toContain(what);
    expect(message).toContain('[ETL_COMPRESSED]');
  });

  it('finds a wrong checksum of Zstandard', async () => {
    const fixture = sourceOf(path.join(fixtures, 'two-frames.csv.zst'));
    const bytes = await bytesOf(decompressed({ ...fixture, compression: 'none' }).chunks);
    const message = await problem('checksum.csv.zst', flipped(bytes, bytes.length - 1));
    expect(message).toContain('a checksum does not match');
  });

  it('refuses a file that grew or shrank since it was planned with', async () => {
    const file = writeSource(folder, 'changed.csv', 'a\n1\n2\n');
    truncateSync(file.path, 4);
    await expect(textOf(decompressed(file).chunks)).rejects.toMatchObject({
      code: 'ETL_FILE_CHANGED',
    });
  });

  it('tells a file that is gone', async () => {
    const file = { ...writeSource(folder, 'gone.csv', 'a\n'), path: path.join(folder, 'nowhere') };
    await expect(textOf(decompressed(file).chunks)).rejects.toMatchObject({
      code: 'ETL_FILE_READ',
      message: expect.stringContaining('ENOENT') as string,
    });
    copyFileSync(path.join(folder, 'gone.csv'), file.path);
    expect(await textOf(decompressed(file).chunks)).toBe('a\n');
  });

  it.each(['abort.csv', 'abort.csv.gz', 'abort.csv.zst'])('stops at a signal: %s', async (name) => {
    const text = Buffer.from('x'.repeat(3000));
    const content = name.endsWith('gz') ? gzipSync(text) : zstdFrame(text);
    const file = writeSource(folder, name, content);
    const reason = new EtlError('ETL_ABORTED', 'Interrupted.', '');
    const signal = AbortSignal.abort(reason);
    await expect(bytesOf(decompressed(file, { signal }).chunks)).rejects.toBe(reason);
  });
});
