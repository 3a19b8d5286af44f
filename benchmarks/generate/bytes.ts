/** Writing values into a buffer without a string or object for each cell where that is slow. */

/** Four hexadecimal digits of each 16-bit number. */
const HEX: readonly string[] = Array.from({ length: 0x1_0000 }, (_, value) =>
  value.toString(16).padStart(4, '0'),
);

/** Eight digits of a 32-bit number, signed or not. */
export function hex(number: number): string {
  return (HEX[number >>> 16] ?? '') + (HEX[number & 0xffff] ?? '');
}

/** Text of ASCII characters. Returns where it ends, as all of these do. */
export function writeText(buffer: Buffer, at: number, text: string): number {
  // For a dozen characters the loop takes a quarter of the time of buffer.write.
  for (let place = 0; place < text.length; place++) buffer[at + place] = text.charCodeAt(place);
  return at + text.length;
}

/** Decimal digits of a whole number that is not negative. */
export function writeInteger(buffer: Buffer, at: number, value: number): number {
  let length = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) length += 1;
  for (let place = length - 1, rest = value; place >= 0; place--) {
    const left = Math.floor(rest / 10);
    buffer[at + place] = 0x30 + rest - left * 10;
    rest = left;
  }
  return at + length;
}

/** A number of two digits. */
export function writePair(buffer: Buffer, at: number, value: number): number {
  buffer[at] = 0x30 + Math.floor(value / 10);
  buffer[at + 1] = 0x30 + (value % 10);
  return at + 2;
}
