import { PageFault } from './parquet-fault.ts';

/**
 * Decodes Parquet's hybrid of run lengths and bit packing (levels, dictionary indexes, booleans)
 * from `bytes[from, to)` and fills `out`. hyparquet's own decoder fills plain arrays, trusts the
 * length of a run, and is wrong above 24 bits; this one fills typed arrays and checks both.
 */
export function decodeRuns(
  bytes: Uint8Array,
  from: number,
  to: number,
  bitWidth: number,
  out: Uint8Array | Uint32Array,
): void {
  if (bitWidth > 32) throw new PageFault(`a bit width of ${bitWidth} is not possible`);
  if (bitWidth === 0) {
    out.fill(0);
    return;
  }
  const valueBytes = (bitWidth + 7) >> 3;
  let position = from;
  let filled = 0;
  while (filled < out.length) {
    let header = 0;
    let factor = 1;
    for (;;) {
      if (position >= to) throw new PageFault('a run of values ends before its page does');
      const byte = bytes[position++] ?? 0;
      header += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
      factor *= 128;
      if (factor > 2 ** 35) throw new PageFault('the length of a run is damaged');
    }
    const left = out.length - filled;
    if (header % 2 === 0) {
      if (position + valueBytes > to) throw new PageFault('a run of values has no value');
      let value = 0;
      for (let i = 0; i < valueBytes; i++) value += (bytes[position + i] ?? 0) * 2 ** (8 * i);
      position += valueBytes;
      const count = Math.min(header / 2, left);
      if (count === 0) throw new PageFault('a run of values is empty');
      out.fill(value, filled, filled + count);
      filled += count;
    } else {
      const groups = (header - 1) / 2;
      if (groups === 0) throw new PageFault('a run of values is empty');
      const count = Math.min(groups * 8, left);
      if (position + Math.ceil((count * bitWidth) / 8) > to) {
        throw new PageFault('packed values end before their page does');
      }
      unpackBits(bytes, position, bitWidth, out, filled, count);
      filled += count;
      position += groups * bitWidth;
    }
  }
}

function unpackBits(
  bytes: Uint8Array,
  position: number,
  bitWidth: number,
  out: Uint8Array | Uint32Array,
  filled: number,
  count: number,
): void {
  if (bitWidth === 1) {
    for (let i = 0; i < count; i++) {
      out[filled + i] = ((bytes[position + (i >> 3)] ?? 0) >> (i & 7)) & 1;
    }
    return;
  }
  if (bitWidth === 8) {
    for (let i = 0; i < count; i++) out[filled + i] = bytes[position + i] ?? 0;
    return;
  }
  const mask = bitWidth === 32 ? 0xffffffff : 2 ** bitWidth - 1;
  const wide = bitWidth > 25;
  let bit = 0;
  for (let i = 0; i < count; i++) {
    const at = position + Math.floor(bit / 8);
    const shift = bit & 7;
    // Bytes behind the end of the page read as undefined, 0 here: only their masked bits are used.
    let value =
      ((bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24)) >>>
      shift;
    if (wide && shift > 0) value |= (bytes[at + 4] ?? 0) << (32 - shift);
    out[filled + i] = value & mask;
    bit += bitWidth;
  }
}
