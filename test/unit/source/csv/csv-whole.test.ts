import { appendFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import { openCsvBytes } from '../../../../src/source/csv/csv-bytes.ts';
import { readWholeCsv } from '../../../../src/source/csv/csv-whole.ts';
import type { CsvDescription, SourceFile } from '../../../../src/source/source-file.ts';
import { zstdFrame } from '../../../support/zstd-frame.ts';
import { bytesOf, described, temporaryFolder, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();
const rows = '1,"a\nb"\n2,c\n';

async function sourceWith(
  content: string | Buffer,
  name = 'whole.csv',
): Promise<[SourceFile, CsvDescription]> {
  const plain = writeSource(folder, 'plain.csv', 'id,name\n1,x\n');
  return [writeSource(folder, name, content), await described(plain)];
}

describe('readWholeCsv', () => {
  it.each([
    ['whole.csv', (content: string) => content],
    ['whole.csv.gz', (content: string) => gzipSync(content)],
    ['whole.csv.zst', (content: string) => zstdFrame(Buffer.from(content))],
  ])('reads %s at one go', async (name, packed) => {
    const whole = await readWholeCsv(...(await sourceWith(packed(`id,name\n${rows}`), name)));
    expect(Buffer.concat(whole?.pieces ?? []).toString()).toBe(rows);
    expect([whole?.records, whole?.lineEnd]).toEqual([2, 'LF']);
  });

  it('sends and counts what a stream does, of any bytes; null where that fails', async () => {
    const part = fc.constantFrom(
      ...['1', ',', 'a,b', '"', '""', '\n', '\r\n', '\r', '\\.', '\n\\.\n'],
      ...['\ufeff', 'é', '\n\n'],
    );
    const property = fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      const [file, description] = await sourceWith(`id,name${parts.join('')}`);
      const stream = openCsvBytes(file, description);
      const sent = await bytesOf(stream.chunks).catch(() => null);
      const whole = await readWholeCsv(file, description);
      if (sent === null || whole === null) {
        expect([sent, whole]).toEqual([null, null]);
        return;
      }
      const { records, contentHash } = stream.totals();
      expect(Buffer.concat(whole.pieces)).toEqual(sent);
      expect(whole).toMatchObject({ records, contentHash });
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it('leaves to a stream what is large, also once it is decompressed', async () => {
    const line = `1,${'x'.repeat(1000)}\n`;
    const large = line.repeat(LIMITS.wholeFileBytesMax / 1000);
    expect(await readWholeCsv(...(await sourceWith(`id,name\n${large}`)))).toBeNull();
    const packed = line.repeat(LIMITS.wholeContentBytesMax / 1000);
    const [gzip, description] = await sourceWith(gzipSync(packed), 'whole.csv.gz');
    expect(gzip.bytes).toBeLessThan(LIMITS.wholeFileBytesMax);
    expect(await readWholeCsv(gzip, description)).toBeNull();
  });

  it('leaves to a stream what is not as it was planned, or gone, or corrupt', async () => {
    const [file, description] = await sourceWith(`id,name\n${rows}`);
    appendFileSync(file.path, '3,d\n');
    expect(await readWholeCsv(file, description)).toBeNull();
    expect(await readWholeCsv({ ...file, bytes: file.bytes + 9 }, description)).toBeNull();
    rmSync(file.path);
    expect(await readWholeCsv(file, description)).toBeNull();
    const cut = gzipSync(`id,name\n${rows}`).subarray(0, -9);
    expect(await readWholeCsv(...(await sourceWith(cut, 'whole.csv.gz')))).toBeNull();
  });
});
