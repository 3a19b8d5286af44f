import type { TimeUnit } from '../source-file.ts';

/** Days, times and timestamps as PostgreSQL spells them with DateStyle ISO. */

const DAY_US = 86_400_000_000n;
const SECOND_NS = 1_000_000_000n;
const US_PER = { ms: 1000n, us: 1n } as const;

/** Microseconds of a time or timestamp; nanoseconds are rounded, as in `roundedMicroseconds`. */
export function toMicroseconds(value: bigint, unit: TimeUnit): bigint {
  if (unit !== 'ns') return value * US_PER[unit];
  const seconds = floorDivide(value, SECOND_NS);
  return seconds * 1_000_000n + BigInt(roundedMicroseconds(Number(value - seconds * SECOND_NS)));
}

/**
 * Of nanoseconds from 0 to 2^53. PostgreSQL rounds what it reads from a text, so that the file's CSV
 * twin, with its nine digits, leaves the same microsecond. Half a microsecond falls to whichever
 * side PostgreSQL's own arithmetic has it fall: it multiplies the fraction of the second, as a
 * double, by a million, and rounds half to even.
 */
export function roundedMicroseconds(nanoseconds: number): number {
  const seconds = Math.floor(nanoseconds / 1e9);
  const exact = ((nanoseconds - seconds * 1e9) / 1e9) * 1e6;
  const floor = Math.floor(exact);
  const up = exact - floor === 0.5 ? floor % 2 : Math.round(exact - floor);
  return seconds * 1e6 + floor + up;
}

/** INT96 is nanoseconds of the day (8 bytes), then the Julian day (4 bytes), little-endian. */
export function int96Microseconds(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const days = BigInt(view.getInt32(8, true)) - 2_440_588n;
  return days * DAY_US + toMicroseconds(view.getBigInt64(0, true), 'ns');
}

/** Days since 1970 as `2024-02-29`, `10000-01-01`, `0044-03-15 BC`. */
export function dateText(days: number): string {
  const { year, month, day } = civilDate(days);
  const [shown, era] = year > 0 ? [year, ''] : [1 - year, ' BC'];
  return `${pad(shown, 4)}-${pad(month, 2)}-${pad(day, 2)}${era}`;
}

/** Microseconds since midnight as `23:59:59.5`; the end of the day is `24:00:00`. */
export function timeText(microseconds: bigint): string {
  const seconds = Number(microseconds / 1_000_000n);
  const fraction = String(microseconds % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const text = clock.map((part) => pad(part, 2)).join(':');
  return fraction === '' ? text : `${text}.${fraction}`;
}

/** Microseconds since 1970 as `2024-02-29 12:00:00.5`, followed by `+00` for an instant. */
export function timestampText(microseconds: bigint, utc: boolean): string {
  const days = floorDivide(microseconds, DAY_US);
  const date = dateText(Number(days));
  const time = timeText(microseconds - days * DAY_US) + (utc ? '+00' : '');
  return date.endsWith(' BC') ? `${date.slice(0, -3)} ${time} BC` : `${date} ${time}`;
}

/** Months, days and milliseconds, unsigned, as `1 year 2 mons 3 days 04:05:06.007`. */
export function intervalText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const months = view.getUint32(0, true);
  const days = view.getUint32(4, true);
  const milliseconds = view.getUint32(8, true);
  const parts = [
    counted(Math.floor(months / 12), 'year'),
    counted(months % 12, 'mon'),
    counted(days, 'day'),
  ].filter((part) => part !== '');
  if (milliseconds > 0 || parts.length === 0) parts.push(timeText(BigInt(milliseconds) * 1000n));
  return parts.join(' ');
}

function counted(count: number, unit: string): string {
  return count === 0 ? '' : `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value < 0n && quotient * divisor !== value ? quotient - 1n : quotient;
}

/** The proleptic Gregorian date, by eras of 400 years; year 0 is 1 BC. */
function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  // The year begins in March here, so that the leap day is its last.
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
