import type { SchemaElement } from 'hyparquet';
import type { ParquetType } from '../source-file.ts';
import { PageFault } from './parquet-fault.ts';

const UNITS = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' } as const;

/** What a leaf holds: its annotation (LogicalType, else the older ConvertedType) or its bytes. */
export function leafType(element: SchemaElement): ParquetType {
  if (element.logical_type?.type === 'NULL') return { kind: 'null' };
  switch (element.type) {
    case 'BOOLEAN':
      return { kind: 'boolean' };
    case 'INT32':
      return decimalType(element) ?? int32Type(element);
    case 'INT64':
      return decimalType(element) ?? int64Type(element);
    case 'INT96':
      return { kind: 'timestamp', unit: 'ns', utc: false, int96: true };
    case 'FLOAT':
      return { kind: 'float', bits: 32 };
    case 'DOUBLE':
      return { kind: 'float', bits: 64 };
    case 'BYTE_ARRAY':
      return decimalType(element) ?? bytesType(element);
    case 'FIXED_LEN_BYTE_ARRAY':
      return decimalType(element) ?? fixedType(element);
    default:
      throw new PageFault(`the field "${element.name}" of the schema has no type`);
  }
}

function int32Type(element: SchemaElement): ParquetType {
  const logical = element.logical_type;
  if (logical?.type === 'DATE' || element.converted_type === 'DATE') return { kind: 'date' };
  if (logical?.type === 'TIME') {
    return { kind: 'time', unit: 'ms', utc: logical.isAdjustedToUTC };
  }
  if (element.converted_type === 'TIME_MILLIS') return { kind: 'time', unit: 'ms', utc: true };
  return integerType(element, 32);
}

/** The older annotations of time and timestamp mean what is now called adjusted to UTC. */
function int64Type(element: SchemaElement): ParquetType {
  const logical = element.logical_type;
  if (logical?.type === 'TIME') {
    return { kind: 'time', unit: UNITS[logical.unit], utc: logical.isAdjustedToUTC };
  }
  if (logical?.type === 'TIMESTAMP') {
    const { isAdjustedToUTC: utc, unit } = logical;
    return { kind: 'timestamp', unit: UNITS[unit], utc, int96: false };
  }
  switch (element.converted_type) {
    case 'TIME_MICROS':
      return { kind: 'time', unit: 'us', utc: true };
    case 'TIMESTAMP_MILLIS':
      return { kind: 'timestamp', unit: 'ms', utc: true, int96: false };
    case 'TIMESTAMP_MICROS':
      return { kind: 'timestamp', unit: 'us', utc: true, int96: false };
    default:
      return integerType(element, 64);
  }
}

function integerType(element: SchemaElement, physicalBits: 32 | 64): ParquetType {
  const logical = element.logical_type;
  if (logical?.type === 'INTEGER') {
    const bits = ([8, 16, 32, 64] as const).find((width) => width === logical.bitWidth);
    if (bits !== undefined && bits <= physicalBits) {
      return { kind: 'integer', bits, signed: logical.isSigned };
    }
  }
  const match = /^(U?)INT_(8|16|32|64)$/.exec(element.converted_type ?? '');
  const bits = Number(match?.[2] ?? physicalBits) as 8 | 16 | 32 | 64;
  if (bits > physicalBits) return { kind: 'integer', bits: physicalBits, signed: true };
  return { kind: 'integer', bits, signed: match?.[1] !== 'U' };
}

function bytesType(element: SchemaElement): ParquetType {
  const annotation = element.logical_type?.type ?? element.converted_type;
  switch (annotation) {
    case 'STRING':
    case 'UTF8':
      return { kind: 'string' };
    case 'ENUM':
      return { kind: 'enum' };
    case 'JSON':
      return { kind: 'json' };
    case 'BSON':
      return { kind: 'bson' };
    default:
      return { kind: 'binary' };
  }
}

function fixedType(element: SchemaElement): ParquetType {
  const length = element.type_length ?? 0;
  if (length < 1) throw new PageFault(`the field "${element.name}" of the schema has no length`);
  const logical = element.logical_type?.type;
  if (logical === 'UUID' && length === 16) return { kind: 'uuid' };
  if (logical === 'FLOAT16' && length === 2) return { kind: 'float', bits: 16 };
  if (element.converted_type === 'INTERVAL' && length === 12) return { kind: 'interval' };
  return bytesType(element);
}

/** Precision of a column that names none: as many digits as its integers may have. */
const PRECISION_DEFAULT = { INT32: 10, INT64: 19 } as const;

function decimalType(element: SchemaElement): ParquetType | null {
  const logical = element.logical_type;
  if (logical?.type !== 'DECIMAL' && element.converted_type !== 'DECIMAL') return null;
  const stated = logical?.type === 'DECIMAL' ? logical : element;
  const scale = stated.scale ?? 0;
  const precision =
    stated.precision ??
    (element.type === 'INT32' || element.type === 'INT64' ? PRECISION_DEFAULT[element.type] : 38);
  if (scale < 0 || precision < 1 || scale > precision) {
    throw new PageFault(
      `the field "${element.name}" is decimal(${precision},${scale}), which is not possible`,
      'ETL_PARQUET_UNSUPPORTED',
    );
  }
  return { kind: 'decimal', precision, scale };
}
