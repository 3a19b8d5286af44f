import type { FieldSink } from './field-sink.ts';

/**
 * PostgreSQL's binary numeric in words of 16 bits: the number of digits (of base 10000), the
 * weight of the first, the sign, the decimals shown, then the digits, no zeros at either end.
 */

const BASE = 10_000;
const NEGATIVE = 0x4000;
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['NaN', 0xc000],
  ['Infinity', 0xd000],
  ['-Infinity', 0xf000],
]);

/** Scales up to which the short way stays exact in doubles. */
const SHORT_SCALE_MAX = 12;
const scratch = new Uint16Array(64);
const digits = new Uint16Array(16);
const POWERS = Float64Array.from({ length: 16 }, (_, power) => 10 ** power);

/** Appends `unscaled / 10^scale`; an integer within 2^53 takes no bigint. */
export function appendNumeric(sink: FieldSink, unscaled: number | bigint, scale: number): void {
  if (scale <= SHORT_SCALE_MAX && typeof unscaled === 'number') {
    appendShort(sink, unscaled, scale);
    return;
  }
  const text = String(unscaled < 0 ? -BigInt(unscaled) : BigInt(unscaled)).padStart(scale + 1, '0');
  const split = text.length - scale;
  appendDigits(sink, unscaled < 0, text.slice(0, split), text.slice(split), scale);
}

/** Appends what a float's text says: `-12.5`, `1e+20`, `NaN`. */
export function appendNumericText(sink: FieldSink, text: string): void {
  const special = SPECIAL.get(text);
  if (special !== undefined) {
    scratch.set([0, 0, special, 0]);
    sink.words(scratch, 4);
    return;
  }
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text) ?? [];
  const exponent = Number(power);
  const moved = (whole + fraction + '0'.repeat(Math.max(0, exponent - fraction.length))).padStart(
    Math.max(0, -exponent) + whole.length + fraction.length,
    '0',
  );
  const decimals = Math.max(0, fraction.length - exponent);
  const split = moved.length - decimals;
  appendDigits(sink, sign === '-', moved.slice(0, split), moved.slice(split), decimals);
}

function appendShort(sink: FieldSink, unscaled: number, scale: number): void {
  const absolute = Math.abs(unscaled);
  const unit = POWERS[scale] ?? 1;
  let whole = Math.floor(absolute / unit);
  const fractionDigits = (scale + 3) >> 2;
  let fraction = (absolute - whole * unit) * (POWERS[fractionDigits * 4 - scale] ?? 1);

  // Digits are found from the last to the first, in the words from `at` on.
  let at = digits.length;
  let weight = -1;
  for (let i = 0; i < fractionDigits; i++) {
    const next = Math.floor(fraction / BASE);
    digits[--at] = fraction - next * BASE;
    fraction = next;
  }
  while (whole > 0) {
    const next = Math.floor(whole / BASE);
    digits[--at] = whole - next * BASE;
    whole = next;
    weight++;
  }
  let end = digits.length;
  while (end > at && digits[end - 1] === 0) end--;
  while (at < end && digits[at] === 0) {
    at++;
    weight--;
  }
  const count = end - at;
  scratch[0] = count;
  scratch[1] = count === 0 ? 0 : weight;
  scratch[2] = unscaled < 0 ? NEGATIVE : 0;
  scratch[3] = scale;
  for (let i = 0; i < count; i++) scratch[4 + i] = digits[at + i] ?? 0;
  sink.words(scratch, 4 + count);
}

function appendDigits(
  sink: FieldSink,
  negative: boolean,
  whole: string,
  fraction: string,
  scale: number,
): void {
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, '0');
  const right = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const words = ((left + right).match(/\d{4}/g) ?? []).map(Number);
  let weight = left.length / 4 - 1;
  let first = 0;
  let end = words.length;
  while (end > first && words[end - 1] === 0) end--;
  while (first < end && words[first] === 0) {
    first++;
    weight--;
  }
  const count = end - first;
  const sign = negative && count > 0 ? NEGATIVE : 0;
  const header = [count, count === 0 ? 0 : weight, sign, scale];
  sink.words(Uint16Array.from([...header, ...words.slice(first, end)]), 4 + count);
}
