import type {
  ColumnVector,
  NestedValue,
  PhysicalValue,
} from '../../src/source/parquet/column-batch.ts';
import type { PhysicalValues } from '../../src/source/parquet/plain-values.ts';
import type { ParquetType } from '../../src/source/source-file.ts';

/** A vector as the Parquet reader makes it; rows that are null hold zeros. */
export function vectorOf(type: ParquetType, rows: readonly NestedValue[]): ColumnVector {
  if (type.kind === 'list' || type.kind === 'map' || type.kind === 'struct') {
    return { kind: 'nested', values: rows };
  }
  const validity = rows.includes(null)
    ? Uint8Array.from(rows, (row) => (row === null ? 0 : 1))
    : null;
  const values = valuesOf(type, rows as readonly (PhysicalValue | null)[]);
  return { kind: 'flat', values, indexes: null, validity };
}

/** A vector whose rows point into a dictionary. */
export function dictionaryVectorOf(
  type: ParquetType,
  dictionary: readonly PhysicalValue[],
  indexes: readonly (number | null)[],
): ColumnVector {
  return {
    kind: 'flat',
    values: valuesOf(type, dictionary),
    indexes: Uint32Array.from(indexes, (index) => index ?? 0),
    validity: indexes.includes(null)
      ? Uint8Array.from(indexes, (index) => (index === null ? 0 : 1))
      : null,
  };
}

function valuesOf(type: ParquetType, rows: readonly (PhysicalValue | null)[]): PhysicalValues {
  switch (typeof rows.find((row) => row !== null)) {
    case 'boolean':
      return { kind: 'boolean', data: Uint8Array.from(rows, (row) => Number(row)) };
    case 'bigint':
      return {
        kind: 'int64',
        data: BigInt64Array.from(rows, (row) => (row ?? 0n) as bigint),
      };
    case 'number': {
      const numbers = rows.map(Number);
      if (type.kind !== 'float') return { kind: 'int32', data: Int32Array.from(numbers) };
      return type.bits === 64
        ? { kind: 'double', data: Float64Array.from(numbers) }
        : { kind: 'float', data: Float32Array.from(numbers) };
    }
    default:
      return bytesOf(rows);
  }
}

function bytesOf(rows: readonly (PhysicalValue | null)[]): PhysicalValues {
  const slices = rows.map((row) => (row instanceof Uint8Array ? row : new Uint8Array(0)));
  const ends: number[] = [];
  let end = 0;
  for (const slice of slices) ends.push((end += slice.length));
  return {
    kind: 'bytes',
    data: new Uint8Array(Buffer.concat(slices)),
    starts: Uint32Array.from(slices, (slice, index) => (ends[index] ?? 0) - slice.length),
    ends: Uint32Array.from(ends),
  };
}
