import type { PhysicalValues } from '../../source/parquet/plain-values.ts';

/** What a converter gets: values as the file stores them, those of null rows without meaning. */
export interface StoredValues {
  readonly values: PhysicalValues;
  readonly count: number;
  /** 0 for null. */
  readonly validity: Uint8Array | null;
}

/**
 * Values in the byte width of their PostgreSQL type, ready to be written: integers of 1, 2 and 4
 * bytes, pairs of (low, high) words for 8 bytes, or slices of bytes of any length. A version byte
 * goes in front of jsonb.
 */
export type FieldValues =
  | { readonly width: 1; readonly data: Uint8Array }
  | { readonly width: 2 | 4 | 8; readonly data: Int32Array }
  | {
      readonly width: 'any';
      readonly data: Uint8Array;
      readonly starts: Uint32Array;
      readonly ends: Uint32Array;
      readonly version: number | null;
    };

/** One column of a batch: row i is NULL, or value i, or value `indexes[i]`. */
export interface FieldColumn {
  readonly fields: FieldValues;
  readonly indexes: Uint32Array | null;
  readonly validity: Uint8Array | null;
}

/** Bytes of every row's field, its length word included; null where they differ. */
export function fixedBytes({ fields, validity }: FieldColumn): number | null {
  return fields.width === 'any' || validity !== null ? null : 4 + fields.width;
}

/** Adds the bytes of each row's field, its length word included. */
export function measureColumn(column: FieldColumn, rows: number, sizes: Uint32Array): void {
  const { fields, indexes, validity } = column;
  if (fields.width === 'any') {
    const { starts, ends } = fields;
    const extra = fields.version === null ? 4 : 5;
    for (let row = 0; row < rows; row++) {
      if (validity !== null && validity[row] === 0) {
        sizes[row] = (sizes[row] ?? 0) + 4;
        continue;
      }
      const index = indexes === null ? row : (indexes[row] ?? 0);
      sizes[row] = (sizes[row] ?? 0) + extra + (ends[index] ?? 0) - (starts[index] ?? 0);
    }
    return;
  }
  const size = 4 + fields.width;
  for (let row = 0; row < rows; row++) {
    const isNull = validity !== null && validity[row] === 0;
    sizes[row] = (sizes[row] ?? 0) + (isNull ? 4 : size);
  }
}

/** Writes each row's field at its position and moves the position behind it. */
export function writeColumn(
  column: FieldColumn,
  rows: number,
  out: DataView,
  positions: Uint32Array,
): void {
  switch (column.fields.width) {
    case 1:
    case 2:
    case 4:
      writeWords(column, column.fields.width, column.fields.data, rows, out, positions);
      return;
    case 8:
      writePairs(column, column.fields.data, rows, out, positions);
      return;
    case 'any':
      writeSlices(column, column.fields, rows, out, positions);
  }
}

const NULL = -1;

function writeWords(
  { indexes, validity }: FieldColumn,
  width: 1 | 2 | 4,
  data: Uint8Array | Int32Array,
  rows: number,
  out: DataView,
  positions: Uint32Array,
): void {
  for (let row = 0; row < rows; row++) {
    const position = positions[row] ?? 0;
    if (validity !== null && validity[row] === 0) {
      out.setInt32(position, NULL);
      positions[row] = position + 4;
      continue;
    }
    const value = data[indexes === null ? row : (indexes[row] ?? 0)] ?? 0;
    out.setInt32(position, width);
    if (width === 4) out.setInt32(position + 4, value);
    else if (width === 2) out.setInt16(position + 4, value);
    else out.setUint8(position + 4, value);
    positions[row] = position + 4 + width;
  }
}

function writePairs(
  { indexes, validity }: FieldColumn,
  data: Int32Array,
  rows: number,
  out: DataView,
  positions: Uint32Array,
): void {
  for (let row = 0; row < rows; row++) {
    const position = positions[row] ?? 0;
    if (validity !== null && validity[row] === 0) {
      out.setInt32(position, NULL);
      positions[row] = position + 4;
      continue;
    }
    const pair = 2 * (indexes === null ? row : (indexes[row] ?? 0));
    out.setInt32(position, 8);
    out.setInt32(position + 4, data[pair + 1] ?? 0);
    out.setInt32(position + 8, data[pair] ?? 0);
    positions[row] = position + 12;
  }
}

/** Up to here a loop over words is faster than a call that copies the bytes. */
const LOOP_BYTES_MAX = 48;

function writeSlices(
  { indexes, validity }: FieldColumn,
  { data, starts, ends, version }: FieldValues & { width: 'any' },
  rows: number,
  out: DataView,
  positions: Uint32Array,
): void {
  const source = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const target = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  const extra = version === null ? 0 : 1;
  for (let row = 0; row < rows; row++) {
    let position = positions[row] ?? 0;
    if (validity !== null && validity[row] === 0) {
      out.setInt32(position, NULL);
      positions[row] = position + 4;
      continue;
    }
    const index = indexes === null ? row : (indexes[row] ?? 0);
    const start = starts[index] ?? 0;
    const end = ends[index] ?? 0;
    out.setInt32(position, end - start + extra);
    position += 4;
    if (version !== null) target[position++] = version;
    positions[row] = position + end - start;
    if (end - start > LOOP_BYTES_MAX) {
      target.set(data.subarray(start, end), position);
    } else if (end - start >= 4) {
      // The last word begins where it must to end with the slice, so it overlaps the one before.
      const last = end - 4;
      const ahead = position - start;
      // In the machine's own order, since the words are only moved.
      for (let i = start; i < last; i += 4) out.setInt32(ahead + i, source.getInt32(i, true), true);
      out.setInt32(ahead + last, source.getInt32(last, true), true);
    } else {
      for (let i = start; i < end; i++) target[position++] = data[i] ?? 0;
    }
  }
}
