import { present } from '../../assert.ts';
import type { FlatVector } from '../parquet/column-batch.ts';

/** Columns of a batch, made of values that are no file's. */

export function integers(values: readonly bigint[]): FlatVector {
  const data = new BigInt64Array(values.length);
  for (let row = 0; row < values.length; row++) data[row] = values[row] ?? 0n;
  return flat({ kind: 'int64', data });
}

export function texts(values: readonly string[]): FlatVector {
  const pieces = values.map((value) => Buffer.from(value));
  return slices(pieces.map((bytes) => ({ bytes, start: 0, end: bytes.length })));
}

/** Parts of buffers: where they are all of one, nothing is copied. */
export function slices(
  parts: readonly { readonly bytes: Uint8Array; readonly start: number; readonly end: number }[],
): FlatVector {
  const whole = parts[0]?.bytes ?? new Uint8Array(0);
  const starts = new Uint32Array(parts.length);
  const ends = new Uint32Array(parts.length);
  if (parts.every(({ bytes }) => bytes === whole)) {
    for (const [index, { start, end }] of parts.entries()) {
      starts[index] = start;
      ends[index] = end;
    }
    return flat({ kind: 'bytes', data: whole, starts, ends });
  }
  let length = 0;
  for (const [index, { start, end }] of parts.entries()) {
    starts[index] = length;
    length += end - start;
    ends[index] = length;
  }
  const data = Buffer.allocUnsafeSlow(length);
  for (const [index, { bytes, start, end }] of parts.entries()) {
    data.set(bytes.subarray(start, end), present(starts[index], 'a start'));
  }
  return flat({ kind: 'bytes', data, starts, ends });
}

/** The value of a vector of one, for each of so many rows. */
export function repeated({ values }: FlatVector, rows: number): FlatVector {
  return { kind: 'flat', values, indexes: new Uint32Array(rows), validity: null };
}

function flat(values: FlatVector['values']): FlatVector {
  return { kind: 'flat', values, indexes: null, validity: null };
}
