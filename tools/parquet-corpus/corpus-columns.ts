import type { ParquetType } from '../../src/source/source-file.ts';

/**
 * The corpus is made from texts: each column lists what a reader must print, and the writers'
 * values are derived from that, without any code of the reader.
 */
export interface CorpusColumn {
  readonly name: string;
  readonly type: ParquetType;
  readonly texts: readonly (string | null)[];
}

export interface CorpusFile {
  readonly name: string;
  readonly columns: readonly CorpusColumn[];
  readonly bytes: Uint8Array;
}

/** The texts over and over; null at every seventh row, and in one long run. */
export function repeated(rows: number, ...texts: readonly string[]): (string | null)[] {
  return Array.from({ length: rows }, (_, row) =>
    row % 7 === 5 || (row > rows * 0.6 && row < rows * 0.7)
      ? null
      : (texts[(row * 5 + Math.floor(row / 11)) % texts.length] ?? null),
  );
}

/** A text for each row, without nulls. */
export function counted(rows: number, text: (row: number) => string): string[] {
  return Array.from({ length: rows }, (_, row) => text(row));
}

export const TYPE = {
  boolean: { kind: 'boolean' },
  int32: { kind: 'integer', bits: 32, signed: true },
  int64: { kind: 'integer', bits: 64, signed: true },
  float: { kind: 'float', bits: 32 },
  double: { kind: 'float', bits: 64 },
  date: { kind: 'date' },
  string: { kind: 'string' },
  binary: { kind: 'binary' },
  json: { kind: 'json' },
  uuid: { kind: 'uuid' },
} as const satisfies Record<string, ParquetType>;

export function decimal(precision: number, scale: number): ParquetType {
  return { kind: 'decimal', precision, scale };
}

export function timestamp(unit: 'ms' | 'us' | 'ns', utc: boolean): ParquetType {
  return { kind: 'timestamp', unit, utc, int96: false };
}

export function integer(bits: 8 | 16 | 32 | 64, signed: boolean): ParquetType {
  return { kind: 'integer', bits, signed };
}

export function time(unit: 'ms' | 'us' | 'ns', utc: boolean): ParquetType {
  return { kind: 'time', unit, utc };
}

/** Texts for each type, edges included. */
export const TEXTS = {
  boolean: ['true', 'false', 'true', 'true'],
  int8: ['-128', '127', '0', '-1'],
  uint8: ['0', '255', '128'],
  int16: ['-32768', '32767', '0'],
  uint16: ['0', '65535', '40000'],
  int32: ['-2147483648', '2147483647', '0', '-1', '1000000'],
  uint32: ['0', '4294967295', '2147483648'],
  int64: ['-9223372036854775808', '9223372036854775807', '0', '9007199254740993', '-1'],
  uint64: ['0', '18446744073709551615', '9223372036854775808'],
  float: ['0', '-0', '1.5', '0.1', '1e+06', '123456', '3.4028235e+38', '1e-45', 'NaN', '-Infinity'],
  double: ['7712.48', '-0.1', '1e+15', '5e-324', '1.7976931348623157e+308', 'NaN', 'Infinity', '0'],
  decimal2: ['7712.48', '-0.05', '0.00', '99999.99', '-12345.67'],
  decimal38: ['9999999999999999999999999999.9999999999', '-0.0000000001', '1234567.8901234567'],
  date: ['1970-01-01', '1969-12-31', '2024-02-29', '0001-01-01', '9999-12-31'],
  timeMs: ['00:00:00', '23:59:59.999', '12:34:56.7'],
  timeUs: ['00:00:00', '23:59:59.999999', '12:34:56.000001'],
  timestampMs: ['1970-01-01 00:00:00', '1969-12-31 23:59:59.999', '2024-02-29 12:34:56.789'],
  timestampUs: ['1970-01-01 00:00:00', '1969-12-31 23:59:59.999999', '2262-04-11 23:47:16.854775'],
  string: ['', 'plain', 'Zürich', '東京 \u{1f600}', 'a "quoted"\ttext\\', 'x'.repeat(40)],
  binary: ['\\x', '\\x00ff', '\\xdeadbeef'],
  uuid: ['00112233-4455-6677-8899-aabbccddeeff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
} as const;

/** A text of a scalar type as the integer, number, text or bytes that the format stores. */
export function storedValue(type: ParquetType, text: string): unknown {
  switch (type.kind) {
    case 'boolean':
      return text === 'true';
    case 'integer':
      return type.bits === 64 ? BigInt(text) : Number(text);
    case 'float':
      return Number(text);
    case 'decimal':
      return BigInt(text.replace('.', ''));
    case 'date':
      return Math.round(Date.parse(`${text}T00:00:00Z`) / 86_400_000);
    case 'time':
      return inUnit(`1970-01-01T${text}`, type.unit);
    case 'timestamp':
      return inUnit(text.replace('+00', '').replace(' ', 'T'), type.unit);
    case 'binary':
      return Buffer.from(text.slice(2), 'hex');
    case 'uuid':
      return Buffer.from(text.replaceAll('-', ''), 'hex');
    default:
      return text;
  }
}

/** Whole seconds by Date, the fraction by its digits. */
function inUnit(iso: string, unit: 'ms' | 'us' | 'ns'): bigint {
  const [seconds = '', fraction = ''] = iso.split('.');
  const digits = { ms: 3, us: 6, ns: 9 }[unit];
  const whole = BigInt(Date.parse(`${seconds}Z`) / 1000);
  return whole * 10n ** BigInt(digits) + BigInt(fraction.padEnd(digits, '0'));
}
