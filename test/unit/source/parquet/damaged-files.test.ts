import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { EtlError } from '../../../../src/errors.ts';
import { columnRange } from '../../../../src/source/parquet/column-range.ts';
import { describeParquet } from '../../../../src/source/parquet/describe-parquet.ts';
import { craftParquet, scratchFolder } from '../../../support/craft-parquet.ts';
import { allRows, corpusFile, corpusNames } from '../../../support/parquet-corpus.ts';

const folder = scratchFolder();
afterAll(() => folder.remove());

/**
 * The rows, or the EtlError; anything else fails the test. In memory that still holds a page that was
 * read before, damage must come to light just as in memory of its own.
 */
async function outcome(bytes: Uint8Array): Promise<(string | null)[][] | EtlError> {
  const file = folder.write('damaged.parquet', bytes);
  try {
    const description = await describeParquet(file);
    const first = description.columns[0]?.name;
    if (first !== undefined) await columnRange(file, description, first);
    const rows = await allRows(file, description).catch(etlError);
    const again = await allRows(file, description, undefined, true).catch(etlError);
    expect(again instanceof EtlError ? again.record : again).toEqual(
      rows instanceof EtlError ? rows.record : rows,
    );
    return rows;
  } catch (error) {
    return etlError(error);
  }
}

function etlError(error: unknown): EtlError {
  if (error instanceof EtlError && error.code !== 'ETL_INTERNAL') return error;
  throw error;
}

async function codeOf(bytes: Uint8Array): Promise<string> {
  const result = await outcome(bytes);
  return result instanceof EtlError ? result.code : `${result.length} rows`;
}

describe('a file that is no Parquet file', () => {
  it('is refused', async () => {
    expect(await codeOf(new Uint8Array(0))).toBe('ETL_FILE_EMPTY');
    expect(await codeOf(Buffer.from('a,b\n1,2\n'))).toBe('ETL_FILE_FORMAT');
    expect(await codeOf(Buffer.from('PAR1'))).toBe('ETL_PARQUET_CORRUPT');
    expect(await codeOf(Buffer.from('PAR1PAR1'))).toBe('ETL_PARQUET_CORRUPT');
    expect(await codeOf(Buffer.from('PAREsecretsPARE'))).toBe('ETL_PARQUET_UNSUPPORTED');
    expect(await codeOf(Buffer.from('PAR1\xff\xff\xff\xffPAR1', 'latin1'))).toBe(
      'ETL_PARQUET_CORRUPT',
    );
  });
});

describe('a file that is cut off', () => {
  it.each(['rust-zstd', 'hyparquet-uncompressed', 'parquetjs-gzip'])('%s', async (name) => {
    const bytes = readFileSync(corpusFile(name).path);
    for (const share of [0.01, 0.2, 0.5, 0.9, 0.99]) {
      const cut = bytes.subarray(0, Math.max(5, Math.floor(bytes.length * share)));
      expect(await codeOf(cut), `${share} of ${name}`).toBe('ETL_PARQUET_CORRUPT');
    }
    expect(await codeOf(bytes.subarray(1))).toBe('ETL_PARQUET_CORRUPT');
    const hole = Buffer.concat([bytes.subarray(0, 1000), bytes.subarray(2000)]);
    expect(await codeOf(hole)).toMatch(/^ETL_/);
  });
});

describe('checksums of pages', () => {
  const body = Buffer.alloc(400);
  for (let i = 0; i < 100; i++) body.writeInt32LE(i, i * 4);
  const page = { kind: 'data', encoding: 'PLAIN', count: 100, body } as const;
  const element = { type: 'INT32' } as const;

  it('hold', async () => {
    expect(await codeOf(craftParquet([{ element, pages: [page] }], 100))).toBe('100 rows');
  });

  it('tell a flipped bit, with the column and the row group', async () => {
    const bytes = craftParquet([{ element, name: 'amount', pages: [page] }], 100);
    const flipped = Buffer.from(bytes);
    const at = flipped.indexOf(body.subarray(40, 60));
    flipped[at] = (flipped[at] ?? 0) ^ 4;
    const result = await outcome(flipped);
    expect(result).toBeInstanceOf(EtlError);
    expect((result as EtlError).record).toMatchObject({
      code: 'ETL_PARQUET_CORRUPT',
      sentence: 'row group 1: the checksum of a page does not match its bytes.',
      facts: { column: 'amount', file: 'damaged.parquet' },
    });
  });

  it('are not asked of writers that make none', async () => {
    expect(await codeOf(craftParquet([{ element, pages: [{ ...page, crc: null }] }], 100))).toBe(
      '100 rows',
    );
  });
});

describe('numbers of values that do not agree', () => {
  const body = Buffer.alloc(40);
  const page = { kind: 'data', encoding: 'PLAIN', count: 10, body } as const;
  const element = { type: 'INT32' } as const;

  it.each([
    ['fewer pages than values', 20, [page]],
    ['more values in the pages than stated', 5, [page]],
    ['fewer bytes than values', 11, [{ ...page, count: 11 }]],
    ['a negative number of values', 10, [{ ...page, count: -1 }]],
    ['an index without a dictionary', 10, [{ ...page, encoding: 'RLE_DICTIONARY' as const }]],
    [
      'an index behind the dictionary',
      3,
      [
        { ...page, kind: 'dictionary' as const },
        {
          kind: 'data' as const,
          encoding: 'RLE_DICTIONARY' as const,
          count: 3,
          body: Buffer.from([8, 6, 10]),
        },
      ],
    ],
  ])('%s', async (_what, rows, pages) => {
    expect(await codeOf(craftParquet([{ element, pages }], rows))).toBe('ETL_PARQUET_CORRUPT');
  });

  it('columns of different length', async () => {
    const columns = [
      { element, name: 'a', pages: [page] },
      { element, name: 'b', pages: [{ ...page, count: 5 }] },
    ];
    expect(await codeOf(craftParquet(columns, 10))).toBe('ETL_PARQUET_CORRUPT');
  });

  it('two columns of one name', async () => {
    const columns = [
      { element, name: 'a', pages: [page] },
      { element, name: 'a', pages: [page] },
    ];
    expect(await codeOf(craftParquet(columns, 10))).toBe('ETL_COLUMN_DUPLICATE');
  });

  it('an encoding that nobody writes', async () => {
    const pages = [{ ...page, encoding: 'BIT_PACKED' as const }];
    expect(await codeOf(craftParquet([{ element, pages }], 10))).toBe('ETL_PARQUET_UNSUPPORTED');
  });
});

describe('damage anywhere', () => {
  const samples = corpusNames().map((name) => readFileSync(corpusFile(name).path));

  it('gives rows or an EtlError, and ends', async () => {
    const damage = fc.record({
      sample: fc.nat({ max: samples.length - 1 }),
      flips: fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 0.9999, noNaN: true }),
          bits: fc.integer({ min: 1, max: 255 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ sample, flips }) => {
        const bytes = Buffer.from(samples[sample] ?? Buffer.alloc(0));
        for (const { at, bits } of flips) {
          const index = Math.floor(at * bytes.length);
          bytes[index] = (bytes[index] ?? 0) ^ bits;
        }
        await outcome(bytes);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('in the footer gives rows or an EtlError, and ends', async () => {
    const damage = fc.record({
      sample: fc.nat({ max: samples.length - 1 }),
      at: fc.integer({ min: 9, max: 600 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ sample, at, bytes: noise }) => {
        const bytes = Buffer.from(samples[sample] ?? Buffer.alloc(0));
        bytes.set(noise.subarray(0, at - 8), Math.max(4, bytes.length - at));
        await outcome(bytes);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('of random bytes between the magic words gives an EtlError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => {
        const length = Buffer.alloc(4);
        length.writeUInt32LE(noise.length);
        const bytes = Buffer.concat([Buffer.from('PAR1'), noise, length, Buffer.from('PAR1')]);
        expect(await outcome(bytes)).toBeInstanceOf(EtlError);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
