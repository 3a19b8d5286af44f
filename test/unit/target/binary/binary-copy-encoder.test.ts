import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../../src/errors.ts';
import { sliceBatch } from '../../../../src/source/parquet/column-batch.ts';
import type { ColumnBatch, NestedValue } from '../../../../src/source/parquet/column-batch.ts';
import type { ParquetType } from '../../../../src/source/source-file.ts';
import { createBinaryCopyEncoder } from '../../../../src/target/binary/binary-copy-encoder.ts';
import type { FieldEncoding } from '../../../../src/target/binary/direct-encoding.ts';
import { dictionaryVectorOf, vectorOf } from '../../../support/parquet-vectors.ts';

const INT32: ParquetType = { kind: 'integer', bits: 32, signed: true };
const INT64: ParquetType = { kind: 'integer', bits: 64, signed: true };
const STRING: ParquetType = { kind: 'string' };

const column = (name: string, type: ParquetType, encoding: FieldEncoding) => ({
  name,
  type,
  stage: { sqlType: 'any', encoding, lossless: true, loss: null },
});

/** The fields of each row, as the format of COPY has them. */
function rowsOf(bytes: Buffer): (Buffer | null)[][] {
  const rows: (Buffer | null)[][] = [];
  for (let at = 0; at < bytes.length;) {
    const fields: (Buffer | null)[] = [];
    const count = bytes.readInt16BE(at);
    at += 2;
    for (let i = 0; i < count; i++) {
      const length = bytes.readInt32BE(at);
      at += 4;
      fields.push(length === -1 ? null : bytes.subarray(at, at + length));
      at += Math.max(0, length);
    }
    rows.push(fields);
  }
  return rows;
}

function batchOf(firstRow: number, rows: number, ...columns: ColumnBatch['columns']): ColumnBatch {
  return { rows, firstRow, columns };
}

/** The error of encoding one column of these values. */
function faultOf(type: ParquetType, encoding: FieldEncoding, values: readonly NestedValue[]) {
  const encoder = createBinaryCopyEncoder([column('c', type, encoding)], {
    ordinal: false,
    file: 'f.parquet',
  });
  try {
    encoder.encode(batchOf(101, values.length, vectorOf(type, values)), 1);
  } catch (error) {
    if (error instanceof EtlError) return error.record;
    throw error;
  }
  return null;
}

describe('createBinaryCopyEncoder', () => {
  it('begins and ends as COPY wants it', () => {
    const encoder = createBinaryCopyEncoder([], { ordinal: false });
    expect(encoder.header().toString('latin1')).toBe('PGCOPY\n\xff\r\n\0' + '\0'.repeat(8));
    expect([...encoder.trailer()]).toEqual([255, 255]);
  });

  it('encodes large batches into two buffers by turns where its reader allows it', () => {
    const encoder = createBinaryCopyEncoder([column('l', INT64, 'int8')], {
      ordinal: true,
      reuse: true,
    });
    const fresh = createBinaryCopyEncoder([column('l', INT64, 'int8')], { ordinal: true });
    const buffers = [8000, 9000, 8500, 9000, 8000].map((rows, index) => {
      const values = Array.from({ length: rows }, (_, row) => BigInt(index * rows + row));
      const batch = batchOf(1, rows, vectorOf(INT64, values));
      const out = encoder.encode(batch, index);
      expect(out.equals(fresh.encode(batch, index))).toBe(true);
      return out.buffer;
    });
    expect(new Set(buffers).size).toBe(2);
    expect(buffers[4]).toBe(buffers[2]);
    expect(buffers[3]).not.toBe(buffers[2]);
    const small = [1, 2, 3].map(
      () => encoder.encode(batchOf(1, 1, vectorOf(INT64, [1n])), 1).buffer,
    );
    expect(new Set(small).size).toBe(3);
  });

  it('writes every value and every null in its place', () => {
    const rows = fc.array(
      fc.tuple(
        fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
        fc.option(fc.string({ maxLength: 60 })),
        fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      ),
      { minLength: 1 },
    );
    const encoder = createBinaryCopyEncoder(
      [column('i', INT32, 'int4'), column('s', STRING, 'bytes'), column('l', INT64, 'int8')],
      { ordinal: true },
    );
    fc.assert(
      fc.property(rows, fc.nat({ max: 2 ** 31 - 1 }), (table, block) => {
        const firstOrdinal = block * 2 ** 21;
        const batch = batchOf(
          1,
          table.length,
          vectorOf(
            INT32,
            table.map((row) => row[0]),
          ),
          vectorOf(
            STRING,
            table.map(([, text]) => (text === null ? null : Buffer.from(text))),
          ),
          vectorOf(
            INT64,
            table.map((row) => row[2]),
          ),
        );
        const written = rowsOf(encoder.encode(batch, firstOrdinal)).map(([ordinal, i, s, l]) => [
          ordinal?.readBigInt64BE(),
          i?.readInt32BE() ?? null,
          s?.toString() ?? null,
          l?.readBigInt64BE() ?? null,
        ]);
        const expected = table.map((row, index) => [BigInt(firstOrdinal + index), ...row]);
        expect(written).toEqual(
          expected.map((row) =>
            row.map((v) => (typeof v === 'string' ? Buffer.from(v).toString() : v)),
          ),
        );
      }),
    );
  });

  it('writes rows that point into a dictionary, and slices of a batch', () => {
    const type: ParquetType = { kind: 'decimal', precision: 9, scale: 2 };
    const encoder = createBinaryCopyEncoder([column('d', type, 'text')], { ordinal: false });
    const vector = dictionaryVectorOf(type, [150, -5], [1, 0, null, 0]);
    const batch = batchOf(11, 4, vector);
    const textsOf = (part: ColumnBatch) =>
      rowsOf(encoder.encode(part, 1)).map(([field]) => field?.toString() ?? null);
    expect(textsOf(batch)).toEqual(['-0.05', '1.50', null, '1.50']);
    expect(textsOf(sliceBatch(batch, 1, 3))).toEqual(['1.50', null]);
    expect(sliceBatch(batch, 1, 3).firstRow).toBe(12);
    expect(encoder.encode(sliceBatch(batch, 2, 2), 1)).toHaveLength(0);
  });

  it('minds a value of a dictionary only where a row has it', () => {
    const encoder = createBinaryCopyEncoder([column('c', INT32, 'int2')], { ordinal: false });
    const dictionary = [1, 70_000];
    const values = dictionaryVectorOf(INT32, dictionary, [0, 0]);
    expect(rowsOf(encoder.encode(batchOf(1, 2, values), 1))).toHaveLength(2);
    const bad = { ...values, indexes: Uint32Array.of(0, 1) };
    expect(() => encoder.encode(batchOf(1, 2, bad), 1)).toThrow(/line 2, column "c": "70000"/);
  });
});

describe('empty texts', () => {
  const uuid = Buffer.from('00112233445566778899aabbccddeeff');
  const empty = Buffer.alloc(0);
  const { stage, ...named } = column('u', STRING, 'uuid');
  const encoder = createBinaryCopyEncoder([{ ...named, stage: { ...stage, emptyIsNull: true } }], {
    ordinal: false,
  });
  const isNull = (vector: ColumnBatch['columns'][number]) =>
    rowsOf(encoder.encode(batchOf(1, 4, vector), 1)).map(([field]) => field === null);

  it('are NULL where the type has no such value, from a dictionary, too', () => {
    expect(isNull(vectorOf(STRING, [empty, uuid, null, uuid]))).toEqual([true, false, true, false]);
    const dictionary = dictionaryVectorOf(STRING, [uuid, empty], [0, 1, 1, null]);
    expect(isNull(dictionary)).toEqual([false, true, true, true]);
  });

  it('are refused where nothing makes them NULL', () => {
    expect(faultOf(STRING, 'uuid', [uuid, empty])?.facts).toMatchObject({ line: 102, value: '' });
  });
});

describe('values that do not fit', () => {
  it('are named with file, row, column and value', () => {
    expect(faultOf(INT32, 'int2', [1, null, 70_000, 80_000])).toMatchObject({
      code: 'ETL_ROW_INVALID',
      sentence: '"70000" is out of range for smallint.',
      facts: { file: 'f.parquet', line: 103, column: 'c', value: '70000' },
    });
  });

  it('are reported by their first row, whichever column it is in', () => {
    const encoder = createBinaryCopyEncoder(
      [column('a', INT32, 'int2'), column('b', INT32, 'int2')],
      { ordinal: false },
    );
    const batch = batchOf(1, 3, vectorOf(INT32, [1, 2, 70_000]), vectorOf(INT32, [1, 80_000, 3]));
    expect(() => encoder.encode(batch, 1)).toThrow(/line 2, column "b": "80000"/);
  });

  const us: ParquetType = { kind: 'timestamp', unit: 'us', utc: false, int96: false };
  const ms: ParquetType = { ...us, unit: 'ms' };
  const double: ParquetType = { kind: 'float', bits: 64 };
  const cents: ParquetType = { kind: 'decimal', precision: 9, scale: 2 };
  const unsigned: ParquetType = { kind: 'integer', bits: 64, signed: false };
  const interval = Buffer.alloc(12, 0xff);
  const farAway = Buffer.alloc(12);
  farAway.writeInt32LE(2_000_000_000, 8);

  it.each<[string, ParquetType, FieldEncoding, NestedValue, RegExp]>([
    ['a long integer', INT64, 'int4', 2n ** 31n, /"2147483648" is out of range for integer/],
    ['an unsigned one', unsigned, 'int8', -1n, /"18446744073709551615" .* bigint/],
    ['a fraction', double, 'int4', 1.5, /"1.5" is not an integer/],
    ['no number', double, 'int8', NaN, /"NaN" is not an integer/],
    ['a huge float', double, 'int8', 1e19, /out of range for bigint/],
    ['cents', cents, 'int4', 150, /"1.50" is not an integer/],
    ['beyond a real', double, 'float4', 1e39, /out of range for real/],
    ['too small for a real', double, 'float4', 1e-60, /out of range for real/],
    ['a date', { kind: 'date' }, 'date', -2_451_545 + 10_956, /out of range for date/],
    ['an early timestamp', us, 'timestamp', -(2n ** 63n), /out of range for timestamp/],
    ['a timestamp in ms', ms, 'timestamp', 2n ** 62n, /out of range for timestamp/],
    ['INT96', { ...us, int96: true }, 'timestamp', farAway, /out of range for timestamp/],
    ['a time', { kind: 'time', unit: 'ms', utc: false }, 'time', 86_400_001, /range for time/],
    ['an interval', { kind: 'interval' }, 'interval', interval, /out of range for interval/],
    ['a uuid', STRING, 'uuid', Buffer.from('{0011'), /"{0011" is no uuid/],
  ])('%s', (_what, type, encoding, value, sentence) => {
    expect(faultOf(type, encoding, [value])?.sentence).toMatch(sentence);
    expect(faultOf(type, encoding, [null])).toBeNull();
  });

  it('text that is not UTF-8, inside of JSON', () => {
    const list: ParquetType = { kind: 'list', element: STRING };
    expect(faultOf(list, 'jsonb', [null, [Buffer.from([0xff])]])).toMatchObject({
      sentence: '"(not readable)" is not valid UTF-8.',
      facts: { line: 102 },
    });
  });
});
