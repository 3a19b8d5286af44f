import { assert } from '../../assert.ts';
import { FRESH_MEMORY } from './page-memory.ts';
import type { PageMemory } from './page-memory.ts';
import type { EncodedValues } from './page-values.ts';
import type { BytesValues, PhysicalValues } from './plain-values.ts';

/** Rows of some columns, aligned: row i of each vector belongs to row `firstRow + i`. */
export interface ColumnBatch {
  readonly rows: number;
  /** 1-based number in the file of the first row. */
  readonly firstRow: number;
  /** In the order in which the columns were asked for. */
  readonly columns: readonly ColumnVector[];
}

export type ColumnVector = FlatVector | NestedVector;

/** Row i is null where `validity` is 0, else `values[i]`, or `values[indexes[i]]`. */
export interface FlatVector extends EncodedValues {
  readonly kind: 'flat';
  /** 1 where there is a value; null where every row has one. */
  readonly validity: Uint8Array | null;
}

interface NestedVector {
  readonly kind: 'nested';
  readonly values: readonly NestedValue[];
}

/**
 * A scalar as the format stores it: number (integers of 32 bits, floats), bigint (64 bits),
 * boolean, bytes (text, fixed bytes, INT96).
 */
export type PhysicalValue = number | bigint | boolean | Uint8Array;

/** Lists and maps are arrays (a map of pairs), structs arrays in the order of their fields. */
export type NestedValue = null | PhysicalValue | readonly NestedValue[];

/** The value of one row as the format stores it. */
export function valueAt(vector: ColumnVector, row: number): NestedValue {
  if (vector.kind === 'nested') return vector.values[row] ?? null;
  if (vector.validity !== null && vector.validity[row] !== 1) return null;
  const { values, indexes } = vector;
  return physicalAt(values, indexes === null ? row : (indexes[row] ?? 0));
}

export function physicalAt(values: PhysicalValues, index: number): PhysicalValue {
  switch (values.kind) {
    case 'boolean':
      return values.data[index] === 1;
    case 'bytes':
      return values.data.subarray(values.starts[index], values.ends[index]);
    case 'int32':
    case 'float':
    case 'double':
      return values.data[index] ?? 0;
    case 'int64':
      return values.data[index] ?? 0n;
  }
}

/** Rows `[from, to)` of a batch; nothing is copied. */
export function sliceBatch(batch: ColumnBatch, from: number, to: number): ColumnBatch {
  assert(from >= 0 && from <= to && to <= batch.rows, `rows ${from} to ${to} are in the batch`);
  return {
    rows: to - from,
    firstRow: batch.firstRow + from,
    columns: batch.columns.map((vector) => sliceVector(vector, from, to)),
  };
}

export function sliceVector(vector: ColumnVector, from: number, to: number): ColumnVector {
  if (vector.kind === 'nested') return { kind: 'nested', values: vector.values.slice(from, to) };
  const { values, indexes, validity } = vector;
  return {
    kind: 'flat',
    values: indexes === null ? sliceValues(values, from, to) : values,
    indexes: indexes === null ? null : indexes.subarray(from, to),
    validity: validity === null ? null : validity.subarray(from, to),
  };
}

function sliceValues(values: PhysicalValues, from: number, to: number): PhysicalValues {
  switch (values.kind) {
    case 'bytes':
      return {
        kind: 'bytes',
        data: values.data,
        starts: values.starts.subarray(from, to),
        ends: values.ends.subarray(from, to),
      };
    case 'boolean':
      return { kind: 'boolean', data: values.data.subarray(from, to) };
    case 'int32':
      return { kind: 'int32', data: values.data.subarray(from, to) };
    case 'int64':
      return { kind: 'int64', data: values.data.subarray(from, to) };
    case 'float':
      return { kind: 'float', data: values.data.subarray(from, to) };
    case 'double':
      return { kind: 'double', data: values.data.subarray(from, to) };
  }
}

/** Spreads values that are stored without their nulls over the rows; a row that is null gets 0. */
export function spreadValues(
  encoded: EncodedValues,
  validity: Uint8Array,
  memory: PageMemory = FRESH_MEMORY,
): EncodedValues {
  const { values, indexes } = encoded;
  if (indexes !== null) return { values, indexes: spreadWords(indexes, validity, memory) };
  return { values: spreadPhysical(values, validity, memory), indexes: null };
}

function spreadPhysical(
  values: PhysicalValues,
  validity: Uint8Array,
  memory: PageMemory,
): PhysicalValues {
  const rows = validity.length;
  switch (values.kind) {
    case 'bytes': {
      const spreadBytes: BytesValues = {
        kind: 'bytes',
        data: values.data,
        starts: spreadWords(values.starts, validity, memory),
        ends: spreadWords(values.ends, validity, memory),
      };
      return spreadBytes;
    }
    case 'boolean':
      return { kind: 'boolean', data: spread(values.data, new Uint8Array(rows), validity) };
    case 'int32':
      return { kind: 'int32', data: spread(values.data, new Int32Array(rows), validity) };
    case 'int64': {
      const data = new BigInt64Array(rows);
      for (let row = 0, next = 0; row < rows; row++) {
        if (validity[row] === 1) data[row] = values.data[next++] ?? 0n;
      }
      return { kind: 'int64', data };
    }
    case 'float':
      return { kind: 'float', data: spread(values.data, new Float32Array(rows), validity) };
    case 'double':
      return { kind: 'double', data: spread(values.data, new Float64Array(rows), validity) };
  }
}

type Numbers = Uint8Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** Into memory that holds whatever was there before. */
function spreadWords(dense: Uint32Array, validity: Uint8Array, memory: PageMemory): Uint32Array {
  const out = memory.words(validity.length);
  let next = 0;
  for (let row = 0; row < out.length; row++) {
    out[row] = validity[row] === 1 ? (dense[next++] ?? 0) : 0;
  }
  return out;
}

function spread<T extends Numbers>(dense: T, out: T, validity: Uint8Array): T {
  let next = 0;
  for (let row = 0; row < validity.length; row++) {
    if (validity[row] === 1) out[row] = dense[next++] ?? 0;
  }
  return out;
}
