import type { ParquetType } from '../../source/source-file.ts';
import { halfFloat } from '../../source/parquet/number-text.ts';
import { unscaledOf } from '../../source/parquet/scalar-text.ts';
import { physicalAt } from '../../source/parquet/column-batch.ts';
import type { PhysicalValues } from '../../source/parquet/plain-values.ts';
import { FieldFault } from './field-fault.ts';
import type { StoredValues } from './field-values.ts';

/**
 * Integers of 64 bits as pairs of 32-bit words, low then high: the way a BigInt64Array lies in
 * memory. Arithmetic on pairs costs a few nanoseconds per value, on bigints about 50.
 */

export const WORD = 2 ** 32;

export function pairsOf(data: BigInt64Array | Float64Array): Int32Array {
  return new Int32Array(data.buffer, data.byteOffset, data.length * 2);
}

/** Writes an integer below 2^53, or any multiple of what a double holds, as a pair. */
export function setPair(pairs: Int32Array, index: number, value: number): void {
  const high = Math.floor(value / WORD);
  pairs[2 * index + 1] = high;
  pairs[2 * index] = value - high * WORD;
}

export function setBigPair(pairs: Int32Array, index: number, value: bigint): void {
  pairs[2 * index + 1] = Number(BigInt.asIntN(32, value >> 32n));
  pairs[2 * index] = Number(BigInt.asIntN(32, value));
}

/**
 * The integers of a column as pairs. Refused are numbers with a fraction, and what 64 bits with a
 * sign cannot hold.
 */
export function integerPairs(
  type: ParquetType & { kind: 'integer' | 'float' | 'decimal' },
  stored: StoredValues,
): Int32Array {
  const { values, count, validity } = stored;
  if (type.kind === 'integer') return plainPairs(type.signed, values, count);
  if (type.kind === 'decimal' && type.scale === 0 && values.kind !== 'bytes') {
    return plainPairs(true, values, count);
  }
  const pairs = new Int32Array(count * 2);
  for (let i = 0; i < count; i++) {
    if (validity !== null && validity[i] === 0) continue;
    const value = physicalAt(values, i);
    if (type.kind === 'float') {
      const number = value instanceof Uint8Array ? halfFloat(value) : Number(value);
      if (!Number.isInteger(number)) throw new FieldFault(i, 'is not an integer');
      if (number < -(2 ** 63) || number >= 2 ** 63) throw new FieldFault(i, 'is out of range');
      setPair(pairs, i, number);
    } else {
      const unscaled = unscaledOf(value);
      const unit = 10n ** BigInt(type.scale);
      const integer = unscaled / unit;
      if (integer * unit !== unscaled) throw new FieldFault(i, 'is not an integer');
      if (BigInt.asIntN(64, integer) !== integer) throw new FieldFault(i, 'is out of range');
      setBigPair(pairs, i, integer);
    }
  }
  return pairs;
}

function plainPairs(signed: boolean, values: PhysicalValues, count: number): Int32Array {
  if (values.kind === 'int64') {
    const pairs = pairsOf(values.data);
    if (signed) return pairs;
    for (let i = 0; i < count; i++) {
      if ((pairs[2 * i + 1] ?? 0) < 0) throw new FieldFault(i, 'is out of range');
    }
    return pairs;
  }
  const pairs = new Int32Array(count * 2);
  if (values.kind !== 'int32') return pairs;
  for (let i = 0; i < count; i++) {
    const value = values.data[i] ?? 0;
    pairs[2 * i] = value;
    pairs[2 * i + 1] = signed && value < 0 ? -1 : 0;
  }
  return pairs;
}
