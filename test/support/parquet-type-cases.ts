import type { NestedValue } from '../../src/source/parquet/column-batch.ts';
import type { ParquetType } from '../../src/source/source-file.ts';

export interface ParquetTypeCase {
  readonly type: ParquetType;
  readonly values: readonly NestedValue[];
  /** Types that are written directly. */
  readonly direct: readonly string[];
  /** Types that the merge casts to. */
  readonly cast?: readonly string[];
  /** Where the value's text is not what is expected: the text that is. */
  readonly expected?: (value: NestedValue, target: string) => string | null;
}

const TEXTS = ['text', 'character varying(200)', 'citext'];
export const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const hex = (digits: string): Uint8Array => Buffer.from(digits, 'hex');

const integer = (bits: 8 | 16 | 32 | 64, signed = true): ParquetType => ({
  kind: 'integer',
  bits,
  signed,
});
const INTEGERS = ['smallint', 'integer', 'bigint', 'numeric', 'numeric(10,2)', 'text'];

const int96 = (day: number, nanoseconds: bigint): Uint8Array => {
  const bytes = Buffer.alloc(12);
  bytes.writeBigInt64LE(nanoseconds, 0);
  bytes.writeInt32LE(day, 8);
  return bytes;
};

const interval = (months: number, days: number, milliseconds: number): Uint8Array => {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(months, 0);
  bytes.writeUInt32LE(days, 4);
  bytes.writeUInt32LE(milliseconds, 8);
  return bytes;
};

const INSTANTS_US = [
  0n,
  -1n,
  1n,
  1_709_208_000_123_456n,
  -62_135_596_800_000_001n,
  -210_000_000_000_000_000n,
  -62_167_219_200_000_000n,
  253_402_300_800_000_000n,
  9_223_372_036_854_775_807n,
];

/** Every type of Parquet, its values, and the types of table that they are written to in binary. */
export const PARQUET_TYPE_CASES: readonly ParquetTypeCase[] = [
  {
    type: { kind: 'boolean' },
    values: [true, null, false],
    direct: ['boolean', 'text'],
    cast: ['integer'],
    expected: (value, target) => {
      if (value === null) return null;
      return target === 'integer' ? String(Number(value)) : String(value);
    },
  },
  {
    type: integer(8),
    values: [-128, 0, null, 127],
    direct: [...INTEGERS, 'real', 'double precision'],
  },
  {
    type: integer(16),
    values: [-32_768, 32_767, 0],
    direct: [...INTEGERS, 'real', 'double precision'],
  },
  { type: integer(32), values: [1, 7, 2_147_483_647], direct: ['positive', 'integer', 'bigint'] },
  {
    type: integer(32),
    values: [-2_147_483_648, null, 2_147_483_647, -1],
    direct: ['integer', 'bigint', 'numeric', 'numeric(12,1)', 'real', 'double precision', ...TEXTS],
  },
  {
    type: integer(64),
    values: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n, 0n, -1n, 10_000n, null],
    direct: ['bigint', 'numeric', 'numeric(30,4)', 'double precision', ...TEXTS],
    cast: ['real'],
  },
  { type: integer(64), values: [-32_768n, 1n, 32_767n], direct: INTEGERS },
  { type: integer(8, false), values: [0, 255, null], direct: [...INTEGERS, 'real'] },
  { type: integer(16, false), values: [0, 65_535], direct: INTEGERS.slice(1) },
  {
    type: integer(32, false),
    values: [0, -1, 1],
    direct: ['bigint', 'numeric', 'double precision', 'text'],
  },
  {
    type: integer(64, false),
    values: [0n, -1n, 9_223_372_036_854_775_807n],
    direct: ['numeric', 'numeric(20,0)', 'double precision', 'text'],
  },
  {
    type: { kind: 'float', bits: 64 },
    values: [
      ...[0, -0, 1.5, -0.1, 7712.48, 1e15, 123_456_789_012_345, 1e-5, 1.7976931348623157e308],
      ...[5e-324, NaN, Infinity, -Infinity, 1 / 3, 1e22, 1234.5e-10, null],
    ],
    direct: ['double precision', 'numeric', ...TEXTS],
  },
  {
    type: { kind: 'float', bits: 64 },
    values: [0, 1.5, -0.1, 7712.48, 3.4e38, 1e-45, NaN, Infinity],
    direct: ['real'],
  },
  { type: { kind: 'float', bits: 64 }, values: [0, -5, 32_767, 1e4], direct: INTEGERS },
  {
    type: { kind: 'float', bits: 32 },
    values: [0, 1.5, Math.fround(0.1), Math.fround(1e6), Math.fround(3.4e38), 2 ** -149, NaN],
    direct: ['real', 'numeric', 'text', 'double precision'],
  },
  {
    type: { kind: 'float', bits: 16 },
    values: [hex('003c'), hex('0000'), hex('0080'), hex('ff7b'), hex('0100'), hex('007c'), null],
    direct: ['real', 'numeric', 'text'],
  },
  ...[2, 0, 9].map((scale): ParquetTypeCase => ({
    type: { kind: 'decimal', precision: 9, scale },
    values: [0, 1, -1, 99, 100, 10_000, -999_999_999, 123_456_789, null],
    direct: ['numeric', `numeric(9,${scale})`, 'numeric(20,10)', 'double precision', ...TEXTS],
  })),
  {
    type: { kind: 'decimal', precision: 9, scale: 2 },
    values: [12_300, -5_000],
    direct: ['smallint', 'integer', 'bigint', 'numeric(5,1)', 'numeric(8,0)'],
    cast: ['real'],
    expected: (value, target) =>
      /int/.test(target) ? String(Number(value) / 100) : (Number(value) / 100).toFixed(2),
  },
  {
    type: { kind: 'decimal', precision: 18, scale: 6 },
    values: [0n, -1n, 999_999_999_999_999_999n, 771_248_000_000n, 10_000_000_000n],
    direct: ['numeric', 'numeric(18,6)', 'numeric(20,2)', 'text'],
  },
  {
    type: { kind: 'decimal', precision: 38, scale: 10 },
    values: [
      hex('00000000000000000000000000000001'),
      hex('ffffffffffffffffffffffffffffffff'),
      hex('4b3b4ca85a86c47a098a223fffffffff'),
      hex('b4c4b357a5793b85f675ddc000000001'),
      hex('00000000000000000000000000000000'),
      hex('0000000000000000016345785d8a0000'),
    ],
    direct: ['numeric', 'numeric(38,10)', 'numeric(40,4)', 'text'],
  },
  {
    type: { kind: 'decimal', precision: 60, scale: 30 },
    values: [hex('7fffffffffffffffffffffffffffffffffffffffffffffff'), hex('80'), hex('')],
    direct: ['numeric', 'numeric(60,30)'],
  },
  {
    type: { kind: 'date' },
    values: [0, -1, 19_782, 11_016, 2_932_896, 2_932_897, -719_529, -2_440_588, 2_145_042_905],
    direct: ['date', 'text'],
  },
  {
    type: { kind: 'date' },
    values: [0, 19_782],
    direct: [],
    cast: ['timestamp without time zone'],
  },
  {
    type: { kind: 'time', unit: 'ms', utc: false },
    values: [0, 1, 86_399_999, 86_400_000],
    direct: ['time without time zone', 'time(0) without time zone', 'text'],
    cast: ['time with time zone', 'interval'],
  },
  {
    type: { kind: 'time', unit: 'us', utc: true },
    values: [0n, 1n, 86_399_999_999n, 45_296_123_456n],
    direct: ['time without time zone', 'time with time zone', 'text'],
  },
  {
    type: { kind: 'time', unit: 'ns', utc: false },
    values: [999n, 86_399_999_999_999n],
    direct: ['time without time zone'],
  },
  ...[true, false].map((utc): ParquetTypeCase => ({
    type: { kind: 'timestamp', unit: 'us', utc, int96: false },
    values: [...INSTANTS_US, null],
    direct: [
      ...(utc ? ['timestamp with time zone', 'timestamp(3) with time zone'] : []),
      ...['timestamp without time zone', 'timestamp(0) without time zone', 'text'],
    ],
    cast: ['date', ...(utc ? [] : ['timestamp with time zone'])],
  })),
  {
    type: { kind: 'timestamp', unit: 'ms', utc: false, int96: false },
    values: [0n, -1n, 1_709_208_000_123n, -62_135_596_800_001n, 9_223_372_036_854_775n],
    direct: ['timestamp without time zone', 'text'],
  },
  {
    type: { kind: 'timestamp', unit: 'ns', utc: true, int96: false },
    values: [0n, -1n, -1_000n, -1_001n, 999n, 9_223_372_036_854_775_807n, -(2n ** 63n)],
    direct: ['timestamp with time zone', 'timestamp without time zone', 'text'],
  },
  {
    type: { kind: 'timestamp', unit: 'ns', utc: false, int96: true },
    values: [
      int96(2_440_588, 0n),
      int96(2_460_311, 45_296_123_456_789n),
      int96(2_440_587, 86_399_999_999_999n),
      int96(109_000_000, 1_000n),
      int96(1, 0n),
    ],
    direct: ['timestamp without time zone', 'text'],
  },
  {
    type: { kind: 'interval' },
    values: [interval(0, 0, 0), interval(14, 3, 14_706_007), interval(1, 1, 4_294_967_295), null],
    direct: ['interval', 'text'],
  },
  {
    type: { kind: 'uuid' },
    values: [hex('00112233445566778899aabbccddeeff'), hex('ffffffffffffffffffffffffffffffff')],
    direct: ['uuid', 'text'],
    cast: ['bytea'],
  },
  {
    type: { kind: 'string' },
    values: [utf8(''), utf8('plain'), utf8('Zürich \u{1f600} 東京'), utf8(' a "b" \\ \n'), null],
    direct: [...TEXTS, 'character(20)'],
    cast: ['name'],
  },
  { type: { kind: 'string' }, values: [utf8('sad'), utf8('happy')], direct: ['mood', 'text'] },
  {
    type: { kind: 'string' },
    values: [
      utf8('00112233-4455-6677-8899-aabbccddeeff'),
      utf8('{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'),
      utf8('a0eebc999c0b4ef8bb6d6bb9bd380a11'),
      utf8('a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11'),
    ],
    direct: ['uuid'],
  },
  {
    type: { kind: 'string' },
    values: [utf8('12'), utf8(' 7'), null],
    direct: [],
    cast: ['integer', 'numeric(5,1)', 'double precision'],
  },
  { type: { kind: 'string' }, values: [utf8('<a>é</a>')], direct: [], cast: ['xml'] },
  {
    type: { kind: 'json' },
    values: [utf8('{"a": [1, 2.50, "é"]}'), utf8('null'), null],
    direct: ['json', 'jsonb', 'text'],
  },
  {
    type: { kind: 'binary' },
    values: [hex(''), hex('00ff10'), null],
    direct: ['bytea'],
  },
  {
    type: { kind: 'binary' },
    values: [utf8('old writers mark no text')],
    direct: ['text'],
    expected: (value) => Buffer.from(value as Uint8Array).toString('utf8'),
  },
  { type: { kind: 'bson' }, values: [hex('0500000000')], direct: ['bytea', 'text'] },
  { type: { kind: 'null' }, values: [null, null], direct: ['text', 'integer', 'jsonb', 'date'] },
  {
    type: { kind: 'list', element: integer(64) },
    values: [[1n, null, 9_223_372_036_854_775_807n], [], null],
    direct: ['jsonb', 'json', 'text'],
  },
  {
    type: { kind: 'list', element: { kind: 'list', element: { kind: 'string' } } },
    values: [[[utf8('a "quoted"'), null], []], null],
    direct: ['jsonb'],
  },
  {
    type: {
      kind: 'struct',
      fields: [
        { name: 'no "1"', type: { kind: 'float', bits: 64 }, nullable: true },
        { name: 'at', type: { kind: 'date' }, nullable: true },
        {
          name: 'tags',
          type: { kind: 'map', key: integer(32), value: { kind: 'boolean' } },
          nullable: true,
        },
      ],
    },
    values: [
      [
        NaN,
        0,
        [
          [2, true],
          [1, null],
        ],
      ],
      [0.1, null, []],
      null,
    ],
    direct: ['jsonb', 'json'],
  },
];
