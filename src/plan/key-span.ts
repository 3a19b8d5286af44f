import type { KeyRange } from '../conflict/key-range.ts';
import type { TargetType } from '../target/table.ts';

/** The smallest and largest key of a sample: as people read them, and as a range where comparable. */
export interface KeySpan {
  readonly min: string | null;
  readonly max: string | null;
  readonly range: KeyRange | null;
}

export const NO_SPAN: KeySpan = { min: null, max: null, range: null };

/** The ranges of a sample speak of types as those of a staged table do (target/keys.ts). */
const INTEGERS = new Set(['int2', 'int4', 'int8', 'oid']);
const DATES = new Set(['date', 'timestamp']);
const NUMBERS = new Set([...INTEGERS, 'numeric', 'float4', 'float8']);
const TEXTS = new Set(['text', 'varchar', 'name']);

/**
 * Of the values of the leading key column, NULL left out. Texts compare by their bytes, numbers by
 * value, everything else by its spelling, which is right for dates and uuids and a hint at most.
 */
export function spanOf(type: TargetType, values: readonly (string | null)[]): KeySpan {
  const compare = orderOf(type);
  let min: string | null = null;
  let max: string | null = null;
  for (const value of values) {
    if (value === null) continue;
    if (min === null || compare(value, min) < 0) min = value;
    if (max === null || compare(value, max) > 0) max = value;
  }
  if (min === null || max === null) return NO_SPAN;
  return { min, max, range: rangeOf(type, values, min, max) };
}

/** Share of neighbours that must follow one direction for a file to count as sorted. */
const ORDERED_SHARE = 0.95;

/** Whether the values, in the file's order, mostly rise or mostly fall. */
export function isOrdered(type: TargetType, values: readonly (string | null)[]): boolean {
  const compare = orderOf(type);
  let rising = 0;
  let falling = 0;
  let equal = 0;
  let previous: string | null = null;
  for (const value of values) {
    const order = value === null || previous === null ? 0 : compare(value, previous);
    if (order > 0) rising++;
    else if (order < 0) falling++;
    else equal++;
    previous = value;
  }
  return Math.max(rising, falling) + equal >= ORDERED_SHARE * values.length;
}

/** Share of neighbours that must differ where a file is to be cut between two keys. */
const RISING_SHARE_MIN = 0.02;

/** Whether no value of the sample is smaller than the one before it, and one is larger now and then. */
export function isRising(type: TargetType, values: readonly (string | null)[]): boolean {
  const compare = orderOf(type);
  const keys = values.filter((value) => value !== null);
  const orders = keys.slice(1).map((key, place) => compare(key, keys[place] ?? key));
  const larger = orders.filter((order) => order > 0).length;
  return orders.every((order) => order >= 0) && larger >= RISING_SHARE_MIN * orders.length;
}

/** Whether the database puts values in the order in which a sample sees them: no text is, but uuids. */
export function ordersAsSampled({ typeName }: TargetType): boolean {
  return NUMBERS.has(typeName) || DATES.has(typeName) || typeName === 'uuid';
}

/** The span of a sample, widened by the exact range that a Parquet footer gives of the column. */
export function widened(span: KeySpan, type: TargetType, footer: KeyRange | null): KeySpan {
  const range = span.range === null ? null : unionRange(span.range, footer);
  if (range === null) return span;
  // Dates are ranges of microseconds, which nobody reads: their ends stay those of the sample.
  return DATES.has(type.typeName) ? { ...span, range } : { min: range.min, max: range.max, range };
}

/** The range that holds both; not known where one of them is not. */
export function unionRange(a: KeyRange | null, b: KeyRange | null): KeyRange | null {
  if (a === null || b === null || a.kind !== b.kind) return null;
  const compare = a.kind === 'integer' ? byInteger : byBytes;
  return {
    kind: a.kind,
    min: compare(a.min, b.min) <= 0 ? a.min : b.min,
    max: compare(a.max, b.max) >= 0 ? a.max : b.max,
  };
}

/** For each range, whether it may meet another one; what is not known may meet all. */
export function meetsAnother(ranges: readonly (KeyRange | null)[]): boolean[] {
  const known = ranges.filter((range) => range !== null);
  const kind = known[0]?.kind;
  const comparable = known.length === ranges.length && known.every((range) => range.kind === kind);
  if (!comparable) return ranges.map(() => ranges.length > 1);
  const compare = kind === 'integer' ? byInteger : byBytes;
  const sorted = known
    .map((range, index) => ({ range, index }))
    .sort((a, b) => compare(a.range.min, b.range.min));
  const meets = ranges.map(() => false);
  let widest = sorted[0];
  for (const next of sorted.slice(1)) {
    if (widest !== undefined && compare(next.range.min, widest.range.max) <= 0) {
      meets[widest.index] = true;
      meets[next.index] = true;
    }
    // The one that reaches farthest is the one that the next may meet.
    if (widest === undefined || compare(next.range.max, widest.range.max) > 0) widest = next;
  }
  return meets;
}

function orderOf({ typeName }: TargetType): (a: string, b: string) => number {
  if (NUMBERS.has(typeName)) return byValue;
  return DATES.has(typeName) ? byInstant : byBytes;
}

function rangeOf(
  type: TargetType,
  values: readonly (string | null)[],
  min: string,
  max: string,
): KeyRange | null {
  if (INTEGERS.has(type.typeName)) {
    const valid = values.every((value) => value === null || /^-?\d+$/.test(value));
    return valid ? { kind: 'integer', min, max } : null;
  }
  if (DATES.has(type.typeName)) {
    const [from, to] = [microseconds(min), microseconds(max)];
    return from === null || to === null ? null : { kind: 'integer', min: from, max: to };
  }
  return TEXTS.has(type.typeName) && type.bytewise ? { kind: 'bytes', min, max } : null;
}

/** Since 1970 in UTC; milliseconds are exact enough for a hint. */
function microseconds(value: string): string | null {
  const milliseconds = instantOf(value);
  return Number.isNaN(milliseconds) ? null : String(BigInt(milliseconds) * 1_000n);
}

/** A date, or a timestamp with a space or a T; NaN for what is neither. */
function instantOf(value: string): number {
  return Date.parse(value.length === 10 ? value : `${value.replace(' ', 'T')}Z`);
}

function byInstant(a: string, b: string): number {
  const difference = instantOf(a) - instantOf(b);
  return Number.isNaN(difference) || difference === 0 ? byBytes(a, b) : difference;
}

function byValue(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  return /^-?\d+$/.test(a) && /^-?\d+$/.test(b) ? byInteger(a, b) : byBytes(a, b);
}

/** Digits that a number holds exactly; of a bigint each comparison makes two. */
const EXACT_DIGITS = 15;

function byInteger(a: string, b: string): number {
  if (a.length <= EXACT_DIGITS && b.length <= EXACT_DIGITS) return Number(a) - Number(b);
  const [left, right] = [BigInt(a), BigInt(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
