import {
  int96Microseconds,
  roundedMicroseconds,
  toMicroseconds,
} from '../../source/parquet/time-text.ts';
import type { PhysicalValues } from '../../source/parquet/plain-values.ts';
import type { ParquetType, TimeUnit } from '../../source/source-file.ts';
import { FieldFault } from './field-fault.ts';
import type { FieldValues, StoredValues } from './field-values.ts';
import { WORD, pairsOf, setBigPair, setPair } from './word-pairs.ts';

/** PostgreSQL counts from 2000-01-01, Parquet from 1970-01-01. */
const EPOCH_DAYS = 10_957;
const EPOCH_US = 946_684_800_000_000;
const EPOCH_HIGH = Math.floor(EPOCH_US / WORD);
const EPOCH_LOW = EPOCH_US - EPOCH_HIGH * WORD;
const DAY_US = 86_400_000_000;

/** 4713 BC up to the year 5874897 for date, 294276 for timestamp, since 2000-01-01. */
const DATE_MIN = -2_451_545;
const DATE_END = 2_145_031_949;
const TIMESTAMP_MIN = -211_813_488_000_000_000n;
const TIMESTAMP_END = 9_223_371_331_200_000_000n;
const MIN_HIGH = Number(TIMESTAMP_MIN >> 32n);
const MIN_LOW = Number(BigInt.asUintN(32, TIMESTAMP_MIN));
const END_HIGH = Number(TIMESTAMP_END >> 32n);
const END_LOW = Number(BigInt.asUintN(32, TIMESTAMP_END));

export function dateFields({ values, count }: StoredValues): FieldValues {
  const data = new Int32Array(count);
  if (values.kind === 'int32') {
    for (let i = 0; i < count; i++) {
      const days = (values.data[i] ?? 0) - EPOCH_DAYS;
      if (days < DATE_MIN || days >= DATE_END) throw new FieldFault(i, 'is out of range for date');
      data[i] = days;
    }
  }
  return { width: 4, data };
}

/** Microseconds of the day as pairs; the end of the day, 24:00:00, is a time, too. */
export function timePairs(unit: TimeUnit, { values, count }: StoredValues): Int32Array {
  const pairs = new Int32Array(count * 2);
  for (let i = 0; i < count; i++) {
    const stored =
      values.kind === 'int32' || values.kind === 'int64' ? Number(values.data[i] ?? 0) : 0;
    const time =
      unit === 'ms' ? stored * 1000 : unit === 'us' ? stored : roundedMicroseconds(stored);
    if (time < 0 || time > DAY_US) throw new FieldFault(i, 'is out of range for time');
    setPair(pairs, i, time);
  }
  return pairs;
}

export function timestampFields(
  type: ParquetType & { kind: 'timestamp' },
  stored: StoredValues,
): FieldValues {
  const { values, count, validity } = stored;
  if (values.kind === 'bytes') return int96Fields(values, count, validity);
  const pairs = new Int32Array(count * 2);
  if (values.kind === 'int64') fillTimestamps(type.unit, pairsOf(values.data), pairs, count);
  return { width: 8, data: pairs };
}

/** Exact on all 64 bits, in two words, since a double is not beyond the years 1684 to 2255. */
function fillTimestamps(
  unit: TimeUnit,
  source: Int32Array,
  pairs: Int32Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    let low = (source[2 * i] ?? 0) >>> 0;
    let high = source[2 * i + 1] ?? 0;
    if (unit === 'ms') {
      const product = low * 1000;
      const carry = Math.floor(product / WORD);
      low = product - carry * WORD;
      high = high * 1000 + carry;
    } else if (unit === 'ns') {
      // Floor division by 1000, the remainder of the high word carried down.
      const quotient = Math.floor(high / 1000);
      const carried = (high - quotient * 1000) * WORD + low;
      const microseconds = Math.floor(carried / 1000);
      const rest = carried - microseconds * 1000;
      const up = rest > 500 || (rest === 500 && halfRoundsUp(high, low));
      low = microseconds + (up ? 1 : 0);
      high = quotient;
      if (low === WORD) {
        low = 0;
        high += 1;
      }
    }
    low -= EPOCH_LOW;
    high -= EPOCH_HIGH;
    if (low < 0) {
      low += WORD;
      high -= 1;
    }
    const tooEarly = high < MIN_HIGH || (high === MIN_HIGH && low < MIN_LOW);
    const tooLate = high > END_HIGH || (high === END_HIGH && low >= END_LOW);
    if (tooEarly || tooLate) throw outOfRange(i);
    pairs[2 * i] = low;
    pairs[2 * i + 1] = high;
  }
}

/** Which way half a microsecond goes hangs on the fraction of its second. */
function halfRoundsUp(high: number, low: number): boolean {
  const nanoseconds = (BigInt(high) << 32n) | BigInt(low);
  return toMicroseconds(nanoseconds, 'ns') * 1000n > nanoseconds;
}

/** Nanoseconds of the day and the Julian day; two centuries around 1970 take the short way. */
function int96Fields(
  { data, starts }: PhysicalValues & { kind: 'bytes' },
  count: number,
  validity: Uint8Array | null,
): FieldValues {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const pairs = new Int32Array(count * 2);
  for (let i = 0; i < count; i++) {
    if (validity !== null && validity[i] === 0) continue;
    const start = starts[i] ?? 0;
    const low = view.getUint32(start, true);
    const high = view.getInt32(start + 4, true);
    const days = view.getInt32(start + 8, true) - 2_440_588;
    if (Math.abs(days) < 75_000 && high >= 0 && high < 2 ** 20) {
      setPair(pairs, i, days * DAY_US + roundedMicroseconds(high * WORD + low) - EPOCH_US);
      continue;
    }
    const value = int96Microseconds(data.subarray(start, start + 12)) - BigInt(EPOCH_US);
    if (value < TIMESTAMP_MIN || value >= TIMESTAMP_END) throw outOfRange(i);
    setBigPair(pairs, i, value);
  }
  return { width: 8, data: pairs };
}

function outOfRange(index: number): FieldFault {
  return new FieldFault(index, 'is out of range for timestamp');
}
