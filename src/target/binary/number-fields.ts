import { physicalAt } from '../../source/parquet/column-batch.ts';
import { decimalText, halfFloat, realDigits } from '../../source/parquet/number-text.ts';
import { unscaledOf } from '../../source/parquet/scalar-text.ts';
import type { ParquetType } from '../../source/source-file.ts';
import { FieldFault } from './field-fault.ts';
import type { FieldValues, StoredValues } from './field-values.ts';
import { integerPairs, pairsOf } from './word-pairs.ts';

type NumberType = ParquetType & { kind: 'integer' | 'float' | 'decimal' };

export function int8Fields(type: NumberType, stored: StoredValues): FieldValues {
  return { width: 8, data: ranged('bigint', () => integerPairs(type, stored)) };
}

export function int4Fields(type: NumberType, stored: StoredValues): FieldValues {
  const asStored =
    type.kind === 'integer' ? type.signed : type.kind === 'decimal' && type.scale === 0;
  if (asStored && stored.values.kind === 'int32') return { width: 4, data: stored.values.data };
  return narrowed(4, type, stored);
}

export function int2Fields(type: NumberType, stored: StoredValues): FieldValues {
  return narrowed(2, type, stored);
}

function narrowed(width: 2 | 4, type: NumberType, stored: StoredValues): FieldValues {
  const name = width === 4 ? 'integer' : 'smallint';
  const pairs = ranged(name, () => integerPairs(type, stored));
  const data = new Int32Array(stored.count);
  for (let i = 0; i < stored.count; i++) {
    const low = pairs[2 * i] ?? 0;
    const high = pairs[2 * i + 1] ?? 0;
    if (high !== low >> 31 || (width === 2 && (low > 32_767 || low < -32_768))) {
      throw new FieldFault(i, `is out of range for ${name}`);
    }
    data[i] = low;
  }
  return { width, data };
}

/** Names the type in a fault of the conversion before. */
function ranged<T>(name: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error;
    const why =
      error.message === 'is out of range' ? `${error.message} for ${name}` : error.message;
    throw new FieldFault(error.index, why);
  }
}

export function float8Fields(type: NumberType, stored: StoredValues): FieldValues {
  const { values } = stored;
  if (values.kind === 'double') return { width: 8, data: pairsOf(values.data) };
  return { width: 8, data: pairsOf(doublesOf(type, stored)) };
}

/** Reals: what is beyond their range, or would vanish in zero, is refused as PostgreSQL does. */
export function float4Fields(type: NumberType, stored: StoredValues): FieldValues {
  const { values, count } = stored;
  if (values.kind === 'float') return { width: 4, data: wordsOf(values.data) };
  const doubles = doublesOf(type, stored);
  const reals = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const value = doubles[i] ?? 0;
    reals[i] = value;
    const overflow = Number.isFinite(value) && !Number.isFinite(reals[i]);
    if (overflow || (reals[i] === 0 && value !== 0)) {
      throw new FieldFault(i, 'is out of range for real');
    }
  }
  return { width: 4, data: wordsOf(reals) };
}

function wordsOf(data: Float32Array): Int32Array {
  return new Int32Array(data.buffer, data.byteOffset, data.length);
}

function doublesOf(type: NumberType, stored: StoredValues): Float64Array {
  const { values, count, validity } = stored;
  if (values.kind === 'double') return values.data;
  const doubles = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    if (validity !== null && validity[i] === 0) continue;
    const value = physicalAt(values, i);
    if (type.kind === 'decimal') doubles[i] = Number(decimalText(unscaledOf(value), type.scale));
    else if (value instanceof Uint8Array) doubles[i] = realDigits(halfFloat(value));
    else if (type.kind === 'float') doubles[i] = realDigits(Number(value));
    else if (type.signed) doubles[i] = Number(value);
    else if (typeof value === 'bigint') doubles[i] = Number(BigInt.asUintN(64, value));
    else doubles[i] = Number(value) >>> 0;
  }
  return doubles;
}
