import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { LIMITS } from '../../../src/limits.ts';
import { decompressed } from '../../../src/source/compression.ts';
import { describeParquet } from '../../../src/source/parquet/describe-parquet.ts';
import { readParquet } from '../../../src/source/parquet/read-parquet.ts';
import { craftParquet, type CraftedPage } from '../../support/craft-parquet.ts';
import { openHostileReads, type HostileReads } from '../../support/hostile-read.ts';
import { described, sourceOf, temporaryFolder, writeSource } from './temporary-files.ts';

/** Small files that decode to more than anybody has room for. */
const folder = temporaryFolder();
const mebibyte = 1024 * 1024;

/** One gigabyte of zeros in one megabyte: members of a gzip file follow each other. */
const gzipBomb = Buffer.concat(
  Array.from({ length: 64 }, () => gzipSync(Buffer.alloc(16 * mebibyte))),
);

/** Zstandard needs four bytes for 128 KiB of one byte (RFC 8878, RLE_Block). */
function zstdBomb(blocks: number): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
  const block = (last: number): Buffer => {
    const bytes = Buffer.alloc(4, '0');
    bytes.writeUIntLE(((128 * 1024) << 3) | (1 << 1) | last, 0, 3);
    return bytes;
  };
  return Buffer.concat([
    header,
    ...Array.from({ length: blocks }, (_, i) => block(i === blocks - 1 ? 1 : 0)),
  ]);
}

interface Reading {
  readonly bytes: number;
  readonly error: EtlError | null;
}

async function read(chunks: AsyncIterable<{ readonly length: number }>): Promise<Reading> {
  let bytes = 0;
  try {
    for await (const chunk of chunks) bytes += chunk.length;
  } catch (error) {
    if (!(error instanceof EtlError)) throw error;
    return { bytes, error };
  }
  return { bytes, error: null };
}

describe('compressed text', () => {
  test.each([
    ['zeros.csv.gz', gzipBomb],
    ['zeros.csv.zst', zstdBomb(8192)],
  ])('%s of a gigabyte is noticed at 64 MiB', async (name, content) => {
    const file = writeSource(folder, name, content);
    expect(file.bytes).toBeLessThan(1.1 * mebibyte);
    const { bytes, error } = await read(decompressed(file).chunks);
    expect(error?.record).toMatchObject({
      code: 'ETL_LIMIT',
      facts: { file: name, limit: 700 },
      remedy: expect.stringContaining('--expansion-ratio-max') as string,
    });
    expect(bytes).toBeLessThan(LIMITS.expansionTextBytesMin + mebibyte);
  });

  test('what grows as much and stays small is read', async () => {
    const small = writeSource(folder, 'small.csv.gz', gzipSync(Buffer.alloc(60 * mebibyte)));
    expect(await read(decompressed(small).chunks)).toEqual({ bytes: 60 * mebibyte, error: null });
  });

  test('a file that is told to be trusted is read to its end', async () => {
    const file = { ...sourceOf(`${folder}/zeros.csv.zst`), expansionRatioMax: 40_000 };
    expect(await read(decompressed(file).chunks)).toEqual({ bytes: 1024 * mebibyte, error: null });
  });

  test('honest rows of many equal columns are read', async () => {
    const fields = ',0'.repeat(500);
    const rows = Array.from({ length: 70_000 }, (_, id) => `${id}${fields}\n`).join('');
    const file = writeSource(folder, 'sparse.csv.gz', gzipSync(rows));
    expect(rows.length).toBeGreaterThan(LIMITS.expansionTextBytesMin);
    expect(rows.length / file.bytes).toBeGreaterThan(150);
    expect(await read(decompressed(file).chunks)).toEqual({ bytes: rows.length, error: null });
  });

  test('the header of a bomb costs no more than its limit', async () => {
    const file = writeSource(folder, 'header.csv.gz', gzipSync(Buffer.alloc(64 * mebibyte, 'x')));
    await expect(described(file)).rejects.toMatchObject({
      code: 'ETL_CSV_MALFORMED',
      record: { facts: { limit: LIMITS.headerBytesMax } },
    });
  });
});

describe('Parquet', () => {
  let reads: HostileReads;
  beforeAll(async () => {
    reads = await openHostileReads();
  });
  afterAll(() => reads.close());

  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

  function varint(value: number): number[] {
    return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
  }

  test('one long text of a dictionary that every row repeats', async () => {
    const rows = 40_000;
    const length = 1024 * 1024;
    const dictionary = Buffer.alloc(4 + length, 'x');
    dictionary.writeUInt32LE(length, 0);
    // Indexes of one bit: a run of zeros.
    const indexes = Buffer.from([1, ...varint(rows << 1), 0]);
    const pages: CraftedPage[] = [
      { kind: 'dictionary', encoding: 'PLAIN', count: 1, body: dictionary },
      { kind: 'data', encoding: 'RLE_DICTIONARY', count: rows, body: indexes },
    ];
    const file = writeSource(
      folder,
      'dictionary.parquet',
      Buffer.from(craftParquet([{ element: text, pages }], rows)),
    );
    const description = await describeParquet(file);
    const { bytes, error } = await read(rowsOf(readParquet(file, description, { columns: ['v'] })));
    expect(error?.record).toMatchObject({ code: 'ETL_LIMIT', facts: { limit: 700 } });
    // Rows of a megabyte each.
    expect(bytes).toBeGreaterThan(1000);
    expect(bytes).toBeLessThanOrEqual(LIMITS.expansionParquetBytesMin / length);
  });

  test.each(['SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4', 'LZ4_RAW'] as const)(
    'a %s page that claims to be large costs no memory',
    async (codec) => {
      const outcomes: string[] = [];
      for (const claims of [1_000_000_000, 2_000_000_000, -1]) {
        const body = Buffer.from('no data of this kind, but long enough to begin with');
        const page: CraftedPage = { kind: 'data', encoding: 'PLAIN', count: 2, body, claims };
        const int = { type: 'INT64' } as const;
        const bytes = Buffer.from(craftParquet([{ element: int, pages: [page], codec }], 2));
        const answer = await reads.read({ name: 'claim.parquet', bytes, csv: {} });
        expect(answer.peakBytes).toBeLessThan(512 * mebibyte);
        outcomes.push(answer.kind === 'refused' ? answer.code : answer.kind);
      }
      expect(outcomes).toEqual(['ETL_PARQUET_CORRUPT', 'ETL_LIMIT', 'ETL_PARQUET_CORRUPT']);
    },
  );

  async function* rowsOf(batches: AsyncIterable<{ readonly rows: number }>) {
    for await (const batch of batches) yield { length: batch.rows };
  }
});
