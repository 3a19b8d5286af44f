import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { PageFault } from './parquet-fault.ts';
import type { LeafNode } from './parquet-schema.ts';
import { fixedByteArrays, numbersOf, tooShort, widthOf } from './plain-values.ts';
import type { BytesValues, PhysicalValues } from './plain-values.ts';

export function deltaIntegers(
  leaf: LeafNode,
  page: Uint8Array,
  offset: number,
  count: number,
): PhysicalValues {
  const reader = readerOf(page, offset);
  if (leaf.physical === 'INT32') {
    const data = new Int32Array(count);
    deltaBinaryUnpack(reader, count, data);
    return { kind: 'int32', data };
  }
  if (leaf.physical !== 'INT64') throw new PageFault(`${leaf.physical} encoded as deltas`);
  const data = new BigInt64Array(count);
  deltaBinaryUnpack(reader, count, data);
  return { kind: 'int64', data };
}

export function deltaLengths(
  leaf: LeafNode,
  page: Uint8Array,
  offset: number,
  count: number,
): BytesValues {
  if (leaf.physical !== 'BYTE_ARRAY') throw new PageFault(`${leaf.physical} with delta lengths`);
  const reader = readerOf(page, offset);
  const lengths = new Int32Array(count);
  deltaBinaryUnpack(reader, count, lengths);
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let position = reader.offset;
  for (let i = 0; i < count; i++) {
    const length = lengths[i] ?? 0;
    if (length < 0 || length > page.length - position) throw tooShort();
    starts[i] = position;
    position += length;
    ends[i] = position;
  }
  return { kind: 'bytes', data: page, starts, ends };
}

/** Each value shares a prefix with the one before it. */
export function deltaPrefixes(
  leaf: LeafNode,
  page: Uint8Array,
  offset: number,
  count: number,
): BytesValues {
  if (leaf.physical !== 'BYTE_ARRAY' && leaf.physical !== 'FIXED_LEN_BYTE_ARRAY') {
    throw new PageFault(`${leaf.physical} encoded with prefixes`);
  }
  const reader = readerOf(page, offset);
  const prefixes = new Int32Array(count);
  deltaBinaryUnpack(reader, count, prefixes);
  const suffixes = new Int32Array(count);
  deltaBinaryUnpack(reader, count, suffixes);
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const prefix = prefixes[i] ?? 0;
    const suffix = suffixes[i] ?? 0;
    const before = i === 0 ? 0 : (prefixes[i - 1] ?? 0) + (suffixes[i - 1] ?? 0);
    if (prefix < 0 || suffix < 0 || prefix > before) throw tooShort();
    bytes += prefix + suffix;
  }
  if (bytes > 2 ** 31) throw new PageFault('a page decodes to more than 2 GiB');
  const data = new Uint8Array(bytes);
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let position = reader.offset;
  let end = 0;
  for (let i = 0; i < count; i++) {
    const prefix = prefixes[i] ?? 0;
    const suffix = suffixes[i] ?? 0;
    if (suffix > page.length - position) throw tooShort();
    starts[i] = end;
    if (prefix > 0) data.copyWithin(end, starts[i - 1] ?? 0, (starts[i - 1] ?? 0) + prefix);
    data.set(page.subarray(position, position + suffix), end + prefix);
    position += suffix;
    end += prefix + suffix;
    ends[i] = end;
  }
  return { kind: 'bytes', data, starts, ends };
}

/** The k-th bytes of all values lie together. */
export function splitStreams(
  leaf: LeafNode,
  page: Uint8Array,
  offset: number,
  count: number,
): PhysicalValues {
  const fixed = leaf.physical === 'FIXED_LEN_BYTE_ARRAY';
  const width = fixed ? leaf.typeLength : widthOf(leaf);
  if (count * width > page.length - offset) throw tooShort();
  const bytes = new Uint8Array(count * width);
  for (let k = 0; k < width; k++) {
    const stream = offset + k * count;
    for (let i = 0; i < count; i++) bytes[i * width + k] = page[stream + i] ?? 0;
  }
  return fixed ? fixedByteArrays(leaf, bytes, 0, count) : numbersOf(leaf, bytes);
}

function readerOf(page: Uint8Array, offset: number): { view: DataView; offset: number } {
  return { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset };
}
