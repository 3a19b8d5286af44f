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

/** Bytes of a slice up to which a loop over words is faster than a call that copies them. */
export const LOOP_BYTES_MAX = 48;

/** Bytes of all rows: `beginBytes` each, and their fields with the length words. */
export function rowsBytes(
  columns: readonly FieldColumn[],
  rows: number,
  beginBytes: number,
): number {
  return columns.reduce((sum, column) => sum + columnBytes(column, rows), rows * beginBytes);
}

function columnBytes({ fields, indexes, validity }: FieldColumn, rows: number): number {
  if (fields.width !== 'any') return rows * 4 + (rows - nullsOf(validity, rows)) * fields.width;
  const { starts, ends, version } = fields;
  let bytes = 0;
  for (let row = 0; row < rows; row++) {
    if (validity !== null && validity[row] === 0) continue;
    const index = indexes === null ? row : (indexes[row] ?? 0);
    bytes += (ends[index] ?? 0) - (starts[index] ?? 0);
  }
  const versions = version === null ? 0 : rows - nullsOf(validity, rows);
  return rows * 4 + versions + bytes;
}

function nullsOf(validity: Uint8Array | null, rows: number): number {
  let nulls = 0;
  if (validity === null) return nulls;
  for (let row = 0; row < rows; row++) if (validity[row] === 0) nulls++;
  return nulls;
}
