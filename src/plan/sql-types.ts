import { holds, isFloat, isInteger, isJson, isTime, isDecimal } from './value-types.ts';

/** Integers from narrow to wide, with their largest value. */
const INTEGERS: readonly (readonly [string, bigint])[] = [
  ['smallint', 2n ** 15n - 1n],
  ['integer', 2n ** 31n - 1n],
  ['bigint', 2n ** 63n - 1n],
];

const ALIASES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float4: 'real',
  float8: 'double precision',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  'time without time zone': 'time',
};

/** The narrowest type that holds the values of all these types; null where there are none. */
export function unifySqlTypes(types: readonly string[]): string | null {
  let unified: string | null = null;
  for (const type of types) {
    unified = unified === null ? plainName(type) : unifyPair(unified, plainName(type));
  }
  return unified;
}

/** Whether a column of a type that a Parquet file brought takes this text from a CSV file. */
export function fitsSqlType(sqlType: string, value: string): boolean {
  const type = plainName(sqlType);
  const integer = INTEGERS.find(([name]) => name === type);
  if (integer !== undefined) return isInteger(value, integer[1]);
  const numeric = numericOf(type);
  if (numeric !== null) return fitsNumeric(numeric, value);
  switch (type) {
    case 'real':
      return isFloat(value, 9) || isNotFinite(value);
    case 'double precision':
      return isFloat(value, 17) || isNotFinite(value);
    case 'boolean':
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'uuid':
    case 'text':
      return holds(type, value);
    case 'time':
      return isTime(value);
    case 'jsonb':
      return isJson(value);
    case 'bytea':
      return /^\\x(?:[0-9a-f]{2})*$/i.test(value);
    default:
      return false;
  }
}

function unifyPair(a: string, b: string): string {
  if (a === b) return a;
  const rankA = INTEGERS.findIndex(([name]) => name === a);
  const rankB = INTEGERS.findIndex(([name]) => name === b);
  if (rankA >= 0 && rankB >= 0) return rankA > rankB ? a : b;
  const numericA = numericOf(a) ?? integerDigits(rankA);
  const numericB = numericOf(b) ?? integerDigits(rankB);
  if (numericA !== null && numericB !== null) return widerNumeric(numericA, numericB);
  const both = (...names: readonly string[]) => names.includes(a) && names.includes(b);
  // 32 bits and below are exact as a double; wider integers and decimals are not.
  if (both('smallint', 'integer', 'real', 'double precision')) return 'double precision';
  return both('date', 'timestamp') ? 'timestamp' : 'text';
}

/** `numeric`: digits before and after the point; Infinity where it has no limit. */
interface Numeric {
  readonly whole: number;
  readonly fraction: number;
}

function numericOf(type: string): Numeric | null {
  if (type === 'numeric') return { whole: Infinity, fraction: Infinity };
  const match = /^numeric\((\d+)(?:,\s*(-?\d+))?\)$/.exec(type);
  if (match === null) return null;
  const fraction = Number(match[2] ?? 0);
  return { whole: Number(match[1]) - fraction, fraction };
}

function integerDigits(rank: number): Numeric | null {
  const digits = [5, 10, 19][rank];
  return digits === undefined ? null : { whole: digits, fraction: 0 };
}

function widerNumeric(a: Numeric, b: Numeric): string {
  const fraction = Math.max(a.fraction, b.fraction);
  const precision = Math.max(a.whole, b.whole) + fraction;
  return precision === Infinity ? 'numeric' : `numeric(${precision},${fraction})`;
}

function fitsNumeric(numeric: Numeric, value: string): boolean {
  if (!isDecimal(value)) return false;
  const [whole = '', fraction = ''] = value.replace(/^-?0*/, '').split('.');
  return whole.length <= numeric.whole && fraction.length <= numeric.fraction;
}

function isNotFinite(value: string): boolean {
  return /^(?:nan|-?inf(?:inity)?)$/i.test(value);
}

function plainName(sqlType: string): string {
  const name = sqlType.trim().toLowerCase().replace('decimal', 'numeric');
  return ALIASES[name] ?? name;
}
