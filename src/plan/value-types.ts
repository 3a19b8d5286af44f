/**
 * Which SQL types could hold a text without losing anything of it. Stricter than PostgreSQL's own
 * input: `02134`, `+49` and ` 5` are text here, because as numbers they would not come back.
 */
export type InferredType =
  | 'boolean'
  | 'bigint'
  | 'numeric'
  | 'double precision'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'jsonb'
  | 'text';

/** The narrowest first: a column takes the first type that holds all its values. */
export const INFERRED_TYPES: readonly Exclude<InferredType, 'text'>[] = [
  'boolean',
  'bigint',
  'numeric',
  'double precision',
  'date',
  'timestamp',
  'timestamptz',
  'uuid',
  'jsonb',
];

const INTEGER = /^(?:0|-?[1-9]\d*)$/;
const DECIMAL = /^-?(?=\.?\d)(?:0|[1-9]\d*)?(?:\.\d+)?$/;
const FLOAT = /^-?(?=\.?\d)(?:0|[1-9]\d*)?(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6}0*)?)?$/;
const ZONE = /(?:Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A double keeps at most this many significant digits apart. */
const DOUBLE_DIGITS_MAX = 17;
const BIGINT_MAX = 2n ** 63n - 1n;

/** Whether a column of this type takes the value, and gives it back the same in meaning. */
export function holds(type: InferredType, value: string): boolean {
  switch (type) {
    case 'boolean':
      return /^(?:true|false)$/i.test(value) || value === 't' || value === 'f';
    case 'bigint':
      return isInteger(value, BIGINT_MAX);
    case 'numeric':
      return isDecimal(value);
    case 'double precision':
      return isFloat(value, DOUBLE_DIGITS_MAX);
    case 'date':
      return isDate(value);
    case 'timestamp':
      return isDate(value) || isTimestamp(value);
    case 'timestamptz':
      return ZONE.test(value) && isTimestamp(value.replace(ZONE, '').trimEnd());
    case 'uuid':
      return UUID.test(value);
    case 'jsonb':
      return isJson(value) && /^[[{]/.test(value);
    case 'text':
      return true;
  }
}

/** An integer without leading zeros from -max-1 to max. */
export function isInteger(value: string, max: bigint): boolean {
  if (!INTEGER.test(value)) return false;
  if (value.length < 10 && max >= 2n ** 31n - 1n) return true;
  const number = BigInt(value);
  return number <= max && number >= -max - 1n;
}

export function isDecimal(value: string): boolean {
  return DECIMAL.test(value);
}

/** A finite number of at most so many significant digits. */
export function isFloat(value: string, digitsMax: number): boolean {
  if (!FLOAT.test(value) || !Number.isFinite(Number(value))) return false;
  const mantissa = value.replace(/[eE].*$/, '');
  const digits = mantissa.replace(/^-?[0.]*/, '').replace('.', '');
  return digits.length <= digitsMax;
}

/** A date of the calendar, years 1 to 9999. */
function isDate(value: string): boolean {
  const [, year, month, day] = DATE.exec(value) ?? [];
  if (year === undefined || year === '0000') return false;
  const date = new Date(`${value}T00:00:00Z`);
  // JavaScript moves February 30 into March, where PostgreSQL refuses it.
  return date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day);
}

export function isTime(value: string): boolean {
  return TIME.test(value);
}

/** A date and a time without a zone; more than microseconds would be cut, so they are text. */
function isTimestamp(value: string): boolean {
  return /^[ T]$/.test(value.charAt(10)) && isDate(value.slice(0, 10)) && isTime(value.slice(11));
}

/** JSON that jsonb takes: it refuses the character \u0000. */
export function isJson(value: string): boolean {
  if (value.includes('\\u0000')) return false;
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
