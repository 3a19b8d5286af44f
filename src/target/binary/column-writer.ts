import { LOOP_BYTES_MAX, type FieldColumn, type FieldValues } from './field-values.ts';

/**
 * Writes rows column by column: their sizes are added up per row, and each column is written in one loop that
 * moves every row's own position. For rows of more columns than row-writer.ts makes a loop for.
 *
 * @param firstOrdinal null: the rows have no ordinal
 * @returns where the rows end
 */
export function writeByColumn(
  columns: readonly FieldColumn[],
  rows: number,
  out: DataView,
  firstOrdinal: number | null,
): number {
  const positions = new Uint32Array(rows);
  measureRows(columns, rows, positions, firstOrdinal === null ? 2 : 14);
  const bytes = startsOfRows(positions, rows);
  const fieldCount = columns.length + (firstOrdinal === null ? 0 : 1);
  beginRows(out, positions, rows, fieldCount, firstOrdinal);
  for (const column of columns) writeColumn(column, rows, out, positions);
  return bytes;
}

/** The sizes of the rows; most columns add as much to every one. */
function measureRows(
  columns: readonly FieldColumn[],
  rows: number,
  sizes: Uint32Array,
  beginBytes: number,
): void {
  const bytes = columns.reduce((sum, column) => sum + (fixedBytes(column) ?? 0), beginBytes);
  sizes.fill(bytes, 0, rows);
  for (const column of columns) {
    if (fixedBytes(column) === null) measureColumn(column, rows, sizes);
  }
}

/** Turns the sizes of the rows into their beginnings; returns the bytes of all. */
function startsOfRows(sizes: Uint32Array, rows: number): number {
  let position = 0;
  for (let row = 0; row < rows; row++) {
    const size = sizes[row] ?? 0;
    sizes[row] = position;
    position += size;
  }
  return position;
}

/** The number of fields, and the ordinal. */
function beginRows(
  out: DataView,
  positions: Uint32Array,
  rows: number,
  fieldCount: number,
  firstOrdinal: number | null,
): void {
  for (let row = 0; row < rows; row++) {
    const position = positions[row] ?? 0;
    out.setInt16(position, fieldCount);
    if (firstOrdinal !== null) {
      out.setInt32(position + 2, 8);
      const ordinal = firstOrdinal + row;
      out.setInt32(position + 6, Math.floor(ordinal / 2 ** 32));
      out.setInt32(position + 10, ordinal | 0);
    }
    positions[row] = position + (firstOrdinal === null ? 2 : 14);
  }
}

/** Bytes of every row's field, its length word included; null where they differ. */
function fixedBytes({ fields, validity }: FieldColumn): number | null {
  return fields.width === 'any' || validity !== null ? null : 4 + fields.width;
}

/** Adds the bytes of each row's field, its length word included. */
function measureColumn(column: FieldColumn, rows: number, sizes: Uint32Array): void {
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
function writeColumn(
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

function writeNull(row: number, out: DataView, positions: Uint32Array): void {
  const position = positions[row] ?? 0;
  out.setInt32(position, -1);
  positions[row] = position + 4;
}

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
      writeNull(row, out, positions);
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
      writeNull(row, out, positions);
      continue;
    }
    const pair = 2 * (indexes === null ? row : (indexes[row] ?? 0));
    out.setInt32(position, 8);
    out.setInt32(position + 4, data[pair + 1] ?? 0);
    out.setInt32(position + 8, data[pair] ?? 0);
    positions[row] = position + 12;
  }
}

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
      writeNull(row, out, positions);
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
