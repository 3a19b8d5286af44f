/** The text of a JSON string, which lies in `[quote, end)` of the bytes with its quotes. */
export function stringText(bytes: Buffer, quote: number, end: number): string {
  return JSON.parse(bytes.toString('utf8', quote, end)) as string;
}

/** A value as text: of a string its text, of all else how it is spelled. */
export function valueText(bytes: Buffer, start: number, end: number): string {
  return bytes[start] === 34 ? stringText(bytes, start, end) : bytes.toString('utf8', start, end);
}

/**
 * A number that is spelled with a point or an exponent, and is whole, in digits alone: `1e3` and
 * `12.0` are integers to JSON, and no spelling of one to PostgreSQL. Others, and what is no number, as
 * they are.
 */
export function integerText(number: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number);
  if (parts === null) return number;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  const zeros = Number(exponent) - fraction.length;
  if (/^0+$/.test(digits)) return '0';
  if (Math.abs(zeros) > DIGITS_MAX) return number;
  if (zeros >= 0) return `${sign}${digits}${'0'.repeat(zeros)}`;
  const cut = digits.length + zeros;
  return cut > 0 && /^0+$/.test(digits.slice(cut)) ? `${sign}${digits.slice(0, cut)}` : number;
}

/** No integer of PostgreSQL has more. */
const DIGITS_MAX = 20;
