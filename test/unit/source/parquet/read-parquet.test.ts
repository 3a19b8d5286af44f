import { createRequire } from 'node:module';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { describeParquet } from '../../../../src/source/parquet/describe-parquet.ts';
import { readParquet } from '../../../../src/source/parquet/read-parquet.ts';
import type { ReadParquetOptions } from '../../../../src/source/parquet/read-parquet.ts';
import type { ColumnBatch } from '../../../../src/source/parquet/column-batch.ts';
import type { SourceFile } from '../../../../src/source/source-file.ts';
import { EtlError } from '../../../../src/errors.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { craftParquet, scratchFolder } from '../../../support/craft-parquet.ts';
import { allRows, corpusFile, corpusNames, corpusTwin } from '../../../support/parquet-corpus.ts';

const folder = scratchFolder();
afterAll(() => folder.remove());

async function batchesOf(file: SourceFile, options: ReadParquetOptions): Promise<ColumnBatch[]> {
  const batches: ColumnBatch[] = [];
  const description = await describeParquet(file);
  for await (const batch of readParquet(file, description, options)) batches.push(batch);
  return batches;
}

describe('readParquet', () => {
  it('reads row groups from one to another, and numbers their rows by the file', async () => {
    const file = corpusFile('hyparquet-gzip-row-groups');
    const description = await describeParquet(file);
    expect(description.rowGroups.map((group) => group.rows)).toEqual([30, 30, 20]);
    const batches = await batchesOf(file, { columns: ['id'], rowGroups: { from: 1, to: 2 } });
    expect(batches.map((batch) => [batch.firstRow, batch.rows])).toEqual([[31, 30]]);
  });

  it('aligns pages that end at different rows', async () => {
    const file = corpusFile('rust-snappy-v2-small-pages');
    const batches = await batchesOf(file, { columns: ['id', 'name', 'flag'] });
    expect(batches.length).toBeGreaterThan(3);
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    expect(rows).toBe(corpusTwin('rust-snappy-v2-small-pages').rows.length);
  });

  it('decodes page after page into the same memory where the reader allows it', async () => {
    const numbers = Array.from({ length: 1000 }, (_, row) => row);
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'id', data: numbers, type: 'INT32' },
        { name: 'name', data: numbers.map((row) => `customer ${row}`), type: 'STRING' },
      ],
      rowGroupSize: 100,
      codec: 'UNCOMPRESSED',
    });
    const file = folder.write('groups.parquet', new Uint8Array(bytes));
    const buffers = async (reuse: boolean): Promise<number> => {
      const batches = await batchesOf(file, { columns: ['id', 'name'], reuse });
      const vectors = batches.flatMap((batch) => batch.columns);
      const flat = vectors.flatMap((vector) => (vector.kind === 'flat' ? [vector] : []));
      return new Set(flat.map(({ values, indexes }) => (indexes ?? values.data).buffer)).size;
    };
    expect(await buffers(false)).toBe(20);
    expect(await buffers(true)).toBeLessThan(6);
  });

  it.each(corpusNames())('reads the same from %s into memory that is used again', async (name) => {
    const file = corpusFile(name);
    const description = await describeParquet(file);
    const rows = await allRows(file, description);
    expect(await allRows(file, description, description.columns, true)).toEqual(rows);
  });

  it('gives out rows without columns, too', async () => {
    const batches = await batchesOf(corpusFile('rust-zstd'), { columns: [] });
    expect(batches.reduce((sum, batch) => sum + batch.rows, 0)).toBe(80);
  });

  it('keeps batches small where every row repeats a long value of a dictionary', async () => {
    const long = 'x'.repeat(1024 * 1024);
    const data = Array.from({ length: 100 }, () => long);
    const bytes = parquetWriteBuffer({ columnData: [{ name: 'v', data, type: 'STRING' }] });
    const file = folder.write('long.parquet', new Uint8Array(bytes));
    const batches = await batchesOf(file, { columns: ['v'] });
    expect(batches.reduce((sum, batch) => sum + batch.rows, 0)).toBe(100);
    const most = Math.max(...batches.map((batch) => batch.rows));
    expect(most * long.length).toBeLessThanOrEqual(LIMITS.parquetBatchBytesMax);
  });

  it('tells its progress', async () => {
    const seen: number[][] = [];
    const file = corpusFile('rust-zstd');
    const onProgress = (rows: number, bytes: number): void => void seen.push([rows, bytes]);
    await batchesOf(file, { columns: ['id'], onProgress });
    expect(seen.at(-1)?.[0]).toBe(80);
    expect(seen.at(-1)?.[1]).toBeGreaterThan(0);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const file = corpusFile('hyparquet-gzip-row-groups');
    const reading = batchesOf(file, {
      columns: ['id'],
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(reading).rejects.toMatchObject({ code: 'ETL_ABORTED' });
  });

  it('refuses a column that is not there', async () => {
    const reading = batchesOf(corpusFile('rust-zstd'), { columns: ['nope'] });
    await expect(reading).rejects.toMatchObject({ code: 'ETL_COLUMN_MISSING' });
  });

  it('refuses a file that is not the one that was described', async () => {
    const description = await describeParquet(corpusFile('rust-zstd'));
    const other = corpusFile('rust-gzip');
    await expect(allRows(other, description)).rejects.toMatchObject({ code: 'ETL_FILE_CHANGED' });
  });

  it('reads INT96, exact beyond 64-bit nanoseconds', async () => {
    const body = Buffer.alloc(36);
    body.writeBigInt64LE(45_296_123_456_789n, 0);
    body.writeInt32LE(2_460_311, 8);
    body.writeInt32LE(2_440_588, 20);
    body.writeBigInt64LE(1_000n, 24);
    body.writeInt32LE(5_373_484, 32);
    const pages = [{ kind: 'data', encoding: 'PLAIN', count: 3, body }] as const;
    const bytes = craftParquet([{ element: { type: 'INT96' }, pages }], 3);
    const file = folder.write('int96.parquet', bytes);
    const description = await describeParquet(file);
    expect(description.columns[0]?.type).toMatchObject({ kind: 'timestamp', int96: true });
    expect(await allRows(file, description)).toEqual([
      ['2024-01-01 12:34:56.123457'],
      ['1970-01-01 00:00:00'],
      ['9999-12-31 00:00:00.000001'],
    ]);
  });

  it('refuses pages that need more memory than a row group may', async () => {
    const entries = LIMITS.parquetRowGroupBytesMax / 8 + 1;
    const page = { kind: 'data', encoding: 'RLE_DICTIONARY', count: entries } as const;
    const pages = [{ ...page, body: Buffer.from([0]) }];
    const file = folder.write(
      'bomb.parquet',
      craftParquet([{ element: { type: 'INT32' }, pages }], entries),
    );
    const description = await describeParquet(file);
    await expect(allRows(file, description)).rejects.toMatchObject({ code: 'ETL_LIMIT' });
  });
});

/**
 * Why parquetjs-lite only writes here: `value << 8;` in its lib/codec/rle.js has no assignment, so
 * a dictionary index of 256 or more in a repeated run is another row's value, without an error.
 */
describe('a dictionary index of 256 or more in a repeated run', () => {
  const body = Buffer.alloc(400 * 4);
  for (let i = 0; i < 400; i++) body.writeInt32LE(i * 10, i * 4);
  // Bit width 9, then a run of five times the index 300.
  const run = Buffer.from([9, 5 << 1, 300 & 0xff, 300 >> 8]);
  const bytes = craftParquet(
    [
      {
        element: { type: 'INT32' },
        pages: [
          { kind: 'dictionary', encoding: 'PLAIN', count: 400, body },
          { kind: 'data', encoding: 'PLAIN_DICTIONARY', count: 5, body: run },
        ],
      },
    ],
    5,
  );

  it('is read', async () => {
    const file = folder.write('dictionary.parquet', bytes);
    const rows = await allRows(file, await describeParquet(file));
    expect(rows).toEqual([['3000'], ['3000'], ['3000'], ['3000'], ['3000']]);
  });

  it('is misread by parquetjs-lite', async () => {
    const parquetjs = createRequire(import.meta.url)('parquetjs-lite') as {
      ParquetReader: {
        openBuffer(bytes: Buffer): Promise<{ getCursor(): { next(): Promise<{ v: unknown }> } }>;
      };
    };
    const reader = await parquetjs.ParquetReader.openBuffer(Buffer.from(bytes));
    const row = await reader.getCursor().next();
    // The bytes of the index are added up: 44 + 1.
    expect(Number(row.v)).toBe(450);
  });
});

it('errors are EtlErrors', async () => {
  const description = await describeParquet(corpusFile('rust-zstd'));
  const gone = { ...corpusFile('rust-zstd'), path: '/nowhere/at.parquet' };
  await expect(allRows(gone, description)).rejects.toBeInstanceOf(EtlError);
});
