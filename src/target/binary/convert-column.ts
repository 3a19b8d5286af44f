import { assert } from '../../assert.ts';
import type { ColumnVector, FlatVector } from '../../source/parquet/column-batch.ts';
import { countOf } from '../../source/parquet/plain-values.ts';
import type { PhysicalValues } from '../../source/parquet/plain-values.ts';
import type { ParquetType } from '../../source/source-file.ts';
import {
  intervalFields,
  jsonbFields,
  nestedFields,
  numericFields,
  storedBytes,
  textFields,
  timetzFields,
  uuidFields,
} from './bytes-fields.ts';
import type { FieldEncoding } from './direct-encoding.ts';
import { FieldFault } from './field-fault.ts';
import type { FieldColumn, FieldValues, StoredValues } from './field-values.ts';
import { float4Fields, float8Fields, int2Fields, int4Fields, int8Fields } from './number-fields.ts';
import type { StageColumn } from './stage-column.ts';
import { dateFields, timePairs, timestampFields } from './timestamp-fields.ts';

/** Converts the vectors of one column, batch by batch. @throws FieldFault with the row */
export type ColumnConverter = (vector: ColumnVector, rows: number) => FieldColumn;

/**
 * The converter of one column. The values of a dictionary are converted once for all pages that
 * share it; where one of them does not fit, row by row, since perhaps no row uses it.
 */
export function columnConverter(
  type: ParquetType,
  { encoding, emptyIsNull }: Pick<StageColumn, 'encoding' | 'emptyIsNull'>,
): ColumnConverter {
  let dictionary: { values: PhysicalValues; fields: FieldValues | null } | null = null;

  function dictionaryFields(values: PhysicalValues): FieldValues | null {
    if (dictionary?.values !== values) {
      dictionary = { values, fields: fieldsOrNull(type, encoding, values) };
    }
    return dictionary.fields;
  }

  return (vector, rows) => {
    if (encoding === 'null') return allNull(rows);
    if (vector.kind === 'nested') return nestedColumn(type, encoding, vector.values);
    const { values, indexes } = vector;
    const validity = emptyIsNull === true ? validWithText(vector, rows) : vector.validity;
    if (indexes !== null) {
      const fields = dictionaryFields(values);
      if (fields !== null) return { fields, indexes, validity };
    }
    const direct = indexes === null ? values : gathered(vector, indexes, rows);
    const fields = convert(type, encoding, { values: direct, count: rows, validity });
    return { fields, indexes: null, validity };
  };
}

/** Rows that have a value of at least one byte. */
function validWithText({ values, indexes, validity }: FlatVector, rows: number): Uint8Array {
  assert(values.kind === 'bytes', 'texts are stored as bytes');
  const { starts, ends } = values;
  const valid = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const index = indexes === null ? row : (indexes[row] ?? 0);
    if ((validity === null || validity[row] === 1) && starts[index] !== ends[index]) valid[row] = 1;
  }
  return valid;
}

function allNull(rows: number): FieldColumn {
  const fields: FieldValues = { width: 1, data: new Uint8Array(0) };
  return { fields, indexes: null, validity: new Uint8Array(rows) };
}

function nestedColumn(
  type: ParquetType,
  encoding: FieldEncoding,
  values: (ColumnVector & { kind: 'nested' })['values'],
): FieldColumn {
  assert(
    encoding === 'text' || encoding === 'jsonb' || encoding === 'array',
    `nested values are not written as ${encoding}`,
  );
  const validity = Uint8Array.from(values, (value) => (value === null ? 0 : 1));
  return { fields: nestedFields(type, values, encoding), indexes: null, validity };
}

function fieldsOrNull(
  type: ParquetType,
  encoding: FieldEncoding,
  values: PhysicalValues,
): FieldValues | null {
  try {
    return convert(type, encoding, { values, count: countOf(values), validity: null });
  } catch (error) {
    if (error instanceof FieldFault) return null;
    throw error;
  }
}

function convert(type: ParquetType, encoding: FieldEncoding, stored: StoredValues): FieldValues {
  switch (encoding) {
    case 'bytes':
      return storedBytes(stored, null);
    case 'text':
      return textFields(type, stored);
    case 'jsonb':
      return jsonbFields(stored);
    case 'uuid':
      return uuidFields(type, stored);
    case 'interval':
      return intervalFields(stored);
    case 'date':
      return dateFields(stored);
    case 'bool':
      return booleanFields(stored.values);
    default:
      break;
  }
  if (type.kind === 'time') {
    if (encoding === 'timetz') return timetzFields(type, stored);
    if (encoding === 'time') return { width: 8, data: timePairs(type.unit, stored) };
  }
  if (type.kind === 'timestamp' && encoding === 'timestamp') return timestampFields(type, stored);
  const isNumber = type.kind === 'integer' || type.kind === 'float' || type.kind === 'decimal';
  assert(isNumber, `${type.kind} is not written as ${encoding}`);
  switch (encoding) {
    case 'int2':
      return int2Fields(type, stored);
    case 'int4':
      return int4Fields(type, stored);
    case 'int8':
      return int8Fields(type, stored);
    case 'float4':
      return float4Fields(type, stored);
    case 'float8':
      return float8Fields(type, stored);
    case 'numeric':
      return numericFields(type, stored);
    case 'time':
    case 'timetz':
    case 'timestamp':
    case 'array':
    case 'null':
      assert(false, `${type.kind} is not written as ${encoding}`);
  }
}

function booleanFields(values: PhysicalValues): FieldValues {
  assert(values.kind === 'boolean', 'booleans are stored as booleans');
  return { width: 1, data: values.data };
}

/** The values of the rows, without the dictionary. */
function gathered(vector: FlatVector, indexes: Uint32Array, rows: number): PhysicalValues {
  const { values } = vector;
  const at = <T>(list: { readonly [index: number]: T | undefined }, row: number, none: T): T =>
    list[indexes[row] ?? 0] ?? none;
  switch (values.kind) {
    case 'boolean':
      return {
        kind: 'boolean',
        data: Uint8Array.from({ length: rows }, (_, i) => at(values.data, i, 0)),
      };
    case 'int32':
      return {
        kind: 'int32',
        data: Int32Array.from({ length: rows }, (_, i) => at(values.data, i, 0)),
      };
    case 'int64':
      return {
        kind: 'int64',
        data: BigInt64Array.from({ length: rows }, (_, i) => at(values.data, i, 0n)),
      };
    case 'float':
      return {
        kind: 'float',
        data: Float32Array.from({ length: rows }, (_, i) => at(values.data, i, 0)),
      };
    case 'double':
      return {
        kind: 'double',
        data: Float64Array.from({ length: rows }, (_, i) => at(values.data, i, 0)),
      };
    case 'bytes': {
      const starts = Uint32Array.from({ length: rows }, (_, i) => at(values.starts, i, 0));
      const ends = Uint32Array.from({ length: rows }, (_, i) => at(values.ends, i, 0));
      return { kind: 'bytes', data: values.data, starts, ends };
    }
  }
}
