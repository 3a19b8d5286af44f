import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decimalText,
  floatText,
  halfFloat,
  realDigits,
} from '../../../../src/source/parquet/number-text.ts';
import { dateText, timestampText, timeText } from '../../../../src/source/parquet/time-text.ts';
import {
  arrayText,
  jsonText,
  rowText,
  valueText,
} from '../../../../src/source/parquet/value-text.ts';
import type { ParquetType } from '../../../../src/source/source-file.ts';
import { vectorOf } from '../../../support/parquet-vectors.ts';

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const STRING: ParquetType = { kind: 'string' };
const INT32: ParquetType = { kind: 'integer', bits: 32, signed: true };
const DOUBLE: ParquetType = { kind: 'float', bits: 64 };

describe('floatText', () => {
  it('reads back as the same double', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(Number(floatText(value, 64))).toBe(value);
      }),
    );
  });

  it('reads back as the same real, in at most nine digits', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = floatText(value, 32);
        expect(Math.fround(Number(text))).toBe(value);
        const digits = text.replace(/e.*|[-.]/g, '').replace(/^0+/, '');
        expect(digits.length).toBeLessThanOrEqual(9);
      }),
    );
  });

  it('gives the double of a real by the same digits', () => {
    fc.assert(
      fc.property(fc.float(), (value) => {
        expect(realDigits(value)).toBe(Number(floatText(value, 32)));
      }),
    );
    expect(realDigits(Math.fround(23.4))).toBe(23.4);
    expect(realDigits(2 ** -149)).toBe(1e-45);
  });

  it('knows halves of every kind', () => {
    expect(halfFloat(Buffer.from('003c', 'hex'))).toBe(1);
    expect(halfFloat(Buffer.from('ff7b', 'hex'))).toBe(65_504);
    expect(halfFloat(Buffer.from('0100', 'hex'))).toBe(2 ** -24);
    expect(halfFloat(Buffer.from('00fc', 'hex'))).toBe(-Infinity);
    expect(halfFloat(Buffer.from('007e', 'hex'))).toBeNaN();
    expect(halfFloat(Buffer.from('0080', 'hex'))).toBe(-0);
  });
});

it('decimals have exactly their scale', () => {
  expect(decimalText(-5n, 2)).toBe('-0.05');
  expect(decimalText(0n, 3)).toBe('0.000');
  expect(decimalText(10n ** 40n, 2)).toBe(`1${'0'.repeat(38)}.00`);
});

describe('dates and timestamps', () => {
  it('agree with those of JavaScript in its years of four digits', () => {
    const dates = fc.date({
      min: new Date('0001-01-01'),
      max: new Date('9999-12-31'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(dates, (date) => {
        const text = timestampText(BigInt(date.getTime()) * 1000n, false);
        expect(dateText(Math.floor(date.getTime() / 86_400_000))).toBe(text.slice(0, 10));
        expect(new Date(`${text.replace(' ', 'T')}Z`).getTime()).toBe(date.getTime());
        expect(text).not.toMatch(/\.\d*0$/);
      }),
    );
  });

  it('go back before Christ and on beyond the year 9999', () => {
    expect(dateText(-719_162)).toBe('0001-01-01');
    expect(dateText(-719_163)).toBe('0001-12-31 BC');
    expect(dateText(2_932_897)).toBe('10000-01-01');
    expect(timestampText(-62_135_596_800_000_001n, true)).toBe('0001-12-31 23:59:59.999999+00 BC');
    expect(timeText(86_400_000_000n)).toBe('24:00:00');
  });

  it('round nanoseconds to the nearest microsecond, half to the even one', () => {
    const type: ParquetType = { kind: 'timestamp', unit: 'ns', utc: false, int96: false };
    expect(valueText(type, 1_499n)).toBe('1970-01-01 00:00:00.000001');
    expect(valueText(type, 1_999n)).toBe('1970-01-01 00:00:00.000002');
    expect(valueText(type, 500n)).toBe('1970-01-01 00:00:00');
    expect(valueText(type, 3_500n)).toBe('1970-01-01 00:00:00.000004');
    expect(valueText(type, -1n)).toBe('1970-01-01 00:00:00');
    expect(valueText(type, -501n)).toBe('1969-12-31 23:59:59.999999');
    const time: ParquetType = { kind: 'time', unit: 'ns', utc: false };
    expect(valueText(time, 86_399_999_999_999n)).toBe('24:00:00');
  });
});

describe('nested values', () => {
  it('become JSON without loss', () => {
    const type: ParquetType = {
      kind: 'struct',
      fields: [
        { name: 'n', type: { kind: 'integer', bits: 64, signed: true }, nullable: true },
        { name: 'd', type: { kind: 'decimal', precision: 30, scale: 2 }, nullable: true },
        { name: 'f', type: { kind: 'list', element: DOUBLE }, nullable: true },
        { name: 'b', type: { kind: 'binary' }, nullable: true },
        { name: 'm', type: { kind: 'map', key: INT32, value: STRING }, nullable: true },
        { name: 'j', type: { kind: 'json' }, nullable: true },
        {
          name: 't',
          type: { kind: 'timestamp', unit: 'us', utc: true, int96: false },
          nullable: true,
        },
      ],
    };
    const text = jsonText(type, [
      9_007_199_254_740_993n,
      123_456_789_012_345_678n,
      [0.1, NaN, -Infinity, null],
      Buffer.from([0, 255]),
      [
        [2, utf8('z"')],
        [1, null],
      ],
      utf8('{"a": 1.50}'),
      0n,
    ]);
    expect(text).toBe(
      '{"n": 9007199254740993, "d": 1234567890123456.78, "f": [0.1, "NaN", "-Infinity", null], ' +
        '"b": "\\\\x00ff", "m": {"2": "z\\"", "1": null}, "j": {"a": 1.50}, ' +
        '"t": "1970-01-01T00:00:00+00:00"}',
    );
  });

  it('become an array literal that quotes what needs it', () => {
    const values = ['a', '', 'null', 'a b', 'a,b', '{', '"\\'].map(utf8);
    expect(arrayText(STRING, [...values, null])).toBe(
      '{a,"","null","a b","a,b","{","\\"\\\\",NULL}',
    );
    expect(arrayText({ kind: 'list', element: INT32 }, [[1, 2], [3]])).toBe('{{1,2},{3}}');
  });
});

it('text that is not UTF-8 is refused, and shown as bytes in a row', () => {
  const bytes = Buffer.from([0xff]);
  expect(() => valueText(STRING, bytes)).toThrow(/UTF-8/);
  const batch = { rows: 1, firstRow: 1, columns: [vectorOf(STRING, [bytes])] };
  expect(rowText(batch, [{ name: 's', type: STRING, nullable: false }], 0)).toEqual(['\\xff']);
});
