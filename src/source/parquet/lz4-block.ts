import { PageFault } from './parquet-fault.ts';

/** Decodes one raw LZ4 block (codec LZ4_RAW) of exactly `size` decoded bytes. */
export function decompressLz4Block(input: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  if (decodeBlock(input, output, 0) !== size) throw new PageFault('LZ4 data is too short');
  return output;
}

/**
 * The deprecated codec LZ4 has no fixed framing: Hadoop writes blocks, each with its decoded and
 * its encoded size (big-endian) in front; others wrote one raw block.
 */
export function decompressLz4Hadoop(input: Uint8Array, size: number): Uint8Array {
  return decodeHadoopBlocks(input, size) ?? decompressLz4Block(input, size);
}

function decodeHadoopBlocks(input: Uint8Array, size: number): Uint8Array | null {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Uint8Array(size);
  let position = 0;
  let filled = 0;
  while (position + 8 <= input.length) {
    const decoded = view.getUint32(position);
    const encoded = view.getUint32(position + 4);
    position += 8;
    if (encoded > input.length - position || decoded > size - filled) return null;
    try {
      const block = input.subarray(position, position + encoded);
      if (decodeBlock(block, output, filled) !== filled + decoded) return null;
    } catch (error) {
      if (error instanceof PageFault) return null;
      throw error;
    }
    filled += decoded;
    position += encoded;
  }
  return filled === size && position === input.length ? output : null;
}

/** Decodes into `output` from `start` on; returns where the decoded bytes end. */
function decodeBlock(input: Uint8Array, output: Uint8Array, start: number): number {
  let position = 0;
  let end = start;

  function extended(length: number): number {
    let total = length;
    let byte = 255;
    while (byte === 255) {
      if (position >= input.length) throw new PageFault('LZ4 data is damaged');
      byte = input[position++] ?? 0;
      total += byte;
    }
    return total;
  }

  while (position < input.length) {
    const token = input[position++] ?? 0;
    const literals = token >> 4 === 15 ? extended(15) : token >> 4;
    if (literals > input.length - position || literals > output.length - end) {
      throw new PageFault('LZ4 data is damaged');
    }
    output.set(input.subarray(position, position + literals), end);
    position += literals;
    end += literals;
    if (position === input.length) break;
    const distance = (input[position] ?? 0) | ((input[position + 1] ?? 0) << 8);
    position += 2;
    const length = ((token & 15) === 15 ? extended(15) : token & 15) + 4;
    if (distance === 0 || distance > end - start || length > output.length - end) {
      throw new PageFault('LZ4 data is damaged');
    }
    // A match may overlap what it writes, so it is copied byte by byte.
    for (let i = 0; i < length; i++, end++) output[end] = output[end - distance] ?? 0;
  }
  return end;
}
