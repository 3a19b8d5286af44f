import { FRESH_MEMORY } from './page-memory.ts';
import type { PageMemory } from './page-memory.ts';
import { PageFault } from './parquet-fault.ts';
import type { LeafNode } from './parquet-schema.ts';

/**
 * Values as the format stores them, nothing converted. `bytes` holds BYTE_ARRAY,
 * FIXED_LEN_BYTE_ARRAY and INT96: value i is `data[starts[i], ends[i])`. A view per value, as
 * hyparquet makes, costs about 100 bytes and 50 ns each; two offsets cost 8 bytes.
 */
export type PhysicalValues =
  | { readonly kind: 'boolean'; readonly data: Uint8Array }
  | { readonly kind: 'int32'; readonly data: Int32Array }
  | { readonly kind: 'int64'; readonly data: BigInt64Array }
  | { readonly kind: 'float'; readonly data: Float32Array }
  | { readonly kind: 'double'; readonly data: Float64Array }
  | BytesValues;

export interface BytesValues {
  readonly kind: 'bytes';
  readonly data: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

export function countOf(values: PhysicalValues): number {
  return values.kind === 'bytes' ? values.starts.length : values.data.length;
}

/** Values of the encoding PLAIN, which dictionary pages have, too. */
export function plainValues(
  leaf: LeafNode,
  page: Uint8Array,
  offset: number,
  count: number,
  memory: PageMemory = FRESH_MEMORY,
): PhysicalValues {
  switch (leaf.physical) {
    case 'BOOLEAN': {
      const data = new Uint8Array(count);
      if (Math.ceil(count / 8) > page.length - offset) throw tooShort();
      for (let i = 0; i < count; i++) data[i] = ((page[offset + (i >> 3)] ?? 0) >> (i & 7)) & 1;
      return { kind: 'boolean', data };
    }
    case 'BYTE_ARRAY':
      return plainByteArrays(page, offset, count, memory);
    case 'INT96':
    case 'FIXED_LEN_BYTE_ARRAY':
      return fixedByteArrays(leaf, page, offset, count, memory);
    case 'INT32':
    case 'INT64':
    case 'FLOAT':
    case 'DOUBLE':
      return numbersOf(leaf, alignedBytes(page, offset, count * widthOf(leaf), memory));
  }
}

/** Numbers as they lie in memory, little-endian like the machines that Node runs on. */
export function numbersOf(leaf: LeafNode, bytes: Uint8Array): PhysicalValues {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (leaf.physical) {
    case 'INT32':
      return { kind: 'int32', data: new Int32Array(buffer, byteOffset, byteLength / 4) };
    case 'INT64':
      return { kind: 'int64', data: new BigInt64Array(buffer, byteOffset, byteLength / 8) };
    case 'FLOAT':
      return { kind: 'float', data: new Float32Array(buffer, byteOffset, byteLength / 4) };
    case 'DOUBLE':
      return { kind: 'double', data: new Float64Array(buffer, byteOffset, byteLength / 8) };
    case 'BOOLEAN':
    case 'INT96':
    case 'BYTE_ARRAY':
    case 'FIXED_LEN_BYTE_ARRAY':
      throw new PageFault(`values of ${leaf.physical} are no numbers`);
  }
}

export function widthOf(leaf: LeafNode): number {
  return leaf.physical === 'INT64' || leaf.physical === 'DOUBLE' ? 8 : 4;
}

/** The bytes of numbers, whose views want them at a multiple of their width. */
function alignedBytes(
  page: Uint8Array,
  offset: number,
  length: number,
  memory: PageMemory,
): Uint8Array {
  if (length > page.length - offset) throw tooShort();
  const bytes = page.subarray(offset, offset + length);
  if (bytes.byteOffset % 8 === 0) return bytes;
  const aligned = memory.bytes(length);
  aligned.set(bytes);
  return aligned;
}

function plainByteArrays(
  page: Uint8Array,
  offset: number,
  count: number,
  memory: PageMemory,
): BytesValues {
  if (count * 4 > page.length - offset) throw tooShort();
  const starts = memory.words(count);
  const ends = memory.words(count);
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  if (!findByteArrays(view, offset, starts, ends)) throw tooShort();
  return { kind: 'bytes', data: page, starts, ends };
}

/** False where a value would end behind the page. */
function findByteArrays(
  page: DataView,
  offset: number,
  starts: Uint32Array,
  ends: Uint32Array,
): boolean {
  const size = page.byteLength;
  let position = offset;
  for (let i = 0; i < starts.length; i++) {
    if (position > size - 4) return false;
    const length = page.getUint32(position, true);
    position += 4;
    if (length > size - position) return false;
    starts[i] = position;
    position += length;
    ends[i] = position;
  }
  return true;
}

export function fixedByteArrays(
  leaf: LeafNode,
  page: Uint8Array,
  offset: number,
  count: number,
  memory: PageMemory = FRESH_MEMORY,
): BytesValues {
  const width = leaf.typeLength;
  if (count * width > page.length - offset) throw tooShort();
  const starts = memory.words(count);
  const ends = memory.words(count);
  for (let i = 0; i < count; i++) {
    starts[i] = offset + i * width;
    ends[i] = offset + (i + 1) * width;
  }
  return { kind: 'bytes', data: page, starts, ends };
}

export function tooShort(): PageFault {
  return new PageFault('a page has fewer bytes than its values need');
}
