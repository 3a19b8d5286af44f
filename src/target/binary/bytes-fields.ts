import { physicalAt } from '../../source/parquet/column-batch.ts';
import type { NestedValue } from '../../source/parquet/column-batch.ts';
import { floatText, halfFloat } from '../../source/parquet/number-text.ts';
import { bufferOf, unscaledOf } from '../../source/parquet/scalar-text.ts';
import { ValueFault } from '../../source/parquet/value-fault.ts';
import { arrayText, valueText } from '../../source/parquet/value-text.ts';
import type { ParquetType } from '../../source/source-file.ts';
import { FieldFault } from './field-fault.ts';
import { createFieldSink } from './field-sink.ts';
import type { FieldSink } from './field-sink.ts';
import type { FieldValues, StoredValues } from './field-values.ts';
import { appendNumeric, appendNumericText } from './numeric-field.ts';
import { timePairs } from './timestamp-fields.ts';

const JSONB_VERSION = 1;

/** Bytes as they lie in the page: nothing is copied before the rows are written. */
export function storedBytes({ values, count }: StoredValues, version: number | null): FieldValues {
  if (values.kind === 'bytes') return { width: 'any', ...values, version };
  const none = new Uint32Array(count);
  return { width: 'any', data: new Uint8Array(0), starts: none, ends: none, version };
}

/** Values as their text. */
export function textFields(type: ParquetType, stored: StoredValues): FieldValues {
  return built(stored, 16, (sink, i) => {
    sink.text(valueText(type, physicalAt(stored.values, i)) ?? '');
  });
}

/** Nested values as JSON, or as an array literal. */
export function nestedFields(
  type: ParquetType,
  values: readonly NestedValue[],
  encoding: 'text' | 'jsonb' | 'array',
): FieldValues {
  const sink = createFieldSink(values.length * 64);
  const append = (value: NestedValue): void => {
    if (value === null) return;
    const text =
      encoding === 'array' && type.kind === 'list'
        ? arrayText(type.element, value)
        : valueText(type, value);
    sink.text(text ?? '');
  };
  const version = encoding === 'jsonb' ? JSONB_VERSION : null;
  return appended(sink, values.length, version, (i) => append(values[i] ?? null));
}

export function jsonbFields(stored: StoredValues): FieldValues {
  return storedBytes(stored, JSONB_VERSION);
}

export function numericFields(
  type: ParquetType & { kind: 'integer' | 'float' | 'decimal' },
  stored: StoredValues,
): FieldValues {
  const { values } = stored;
  const scale = type.kind === 'decimal' ? type.scale : 0;
  const signed = type.kind !== 'integer' || type.signed;
  return built(stored, 16, (sink, i) => {
    const value = physicalAt(values, i);
    if (type.kind === 'float') {
      const number = value instanceof Uint8Array ? halfFloat(value) : Number(value);
      appendNumericText(sink, floatText(number, type.bits));
    } else if (typeof value === 'number') {
      appendNumeric(sink, signed ? value : value >>> 0, scale);
    } else {
      const exact = unscaledOf(value);
      const unscaled = signed ? exact : BigInt.asUintN(64, exact);
      const short = unscaled >= -SAFE && unscaled <= SAFE;
      appendNumeric(sink, short ? Number(unscaled) : unscaled, scale);
    }
  });
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Microseconds of the day, then the zone: UTC. */
export function timetzFields(
  type: ParquetType & { kind: 'time' },
  stored: StoredValues,
): FieldValues {
  const pairs = timePairs(type.unit, stored);
  return built(stored, 12, (sink, i) => {
    sink.uint64((pairs[2 * i + 1] ?? 0) >>> 0, (pairs[2 * i] ?? 0) >>> 0);
    sink.int32(0);
  });
}

/** Parquet: months, days, milliseconds, unsigned. PostgreSQL: microseconds, days, months. */
export function intervalFields(stored: StoredValues): FieldValues {
  return built(stored, 16, (sink, i) => {
    const bytes = physicalAt(stored.values, i);
    if (!(bytes instanceof Uint8Array)) return;
    const buffer = bufferOf(bytes);
    const months = buffer.readUInt32LE(0);
    const days = buffer.readUInt32LE(4);
    const microseconds = buffer.readUInt32LE(8) * 1000;
    if (months > 0x7fffffff || days > 0x7fffffff) {
      throw new FieldFault(i, 'is out of range for interval');
    }
    const high = Math.floor(microseconds / 2 ** 32);
    sink.uint64(high, microseconds - high * 2 ** 32);
    sink.int32(days);
    sink.int32(months);
  });
}

/** Sixteen bytes as they are, or text in the forms that PostgreSQL's uuid accepts. */
export function uuidFields(type: ParquetType, stored: StoredValues): FieldValues {
  if (type.kind === 'uuid') return storedBytes(stored, null);
  return built(stored, 16, (sink, i) => {
    const text = physicalAt(stored.values, i);
    if (!(text instanceof Uint8Array)) return;
    const [, open, digits, close] = UUID.exec(bufferOf(text).toString('latin1')) ?? [];
    if (digits === undefined || (open === '{') !== (close === '}')) {
      throw new FieldFault(i, 'is no uuid');
    }
    sink.copy(Buffer.from(digits.replaceAll('-', ''), 'hex'), 0, 16);
  });
}

/** A hyphen may follow every four digits, and braces may stand around all. */
const UUID = /^(\{?)((?:[0-9a-f]{4}-?){7}[0-9a-f]{4})(\}?)$/i;

function built(
  { count, validity }: StoredValues,
  bytesEach: number,
  append: (sink: FieldSink, index: number) => void,
): FieldValues {
  const sink = createFieldSink(count * bytesEach);
  return appended(sink, count, null, (i) => {
    if (validity === null || validity[i] === 1) append(sink, i);
  });
}

function appended(
  sink: FieldSink,
  count: number,
  version: number | null,
  append: (index: number) => void,
): FieldValues {
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    starts[i] = sink.length();
    try {
      append(i);
    } catch (error) {
      throw error instanceof ValueFault ? new FieldFault(i, error.message) : error;
    }
    ends[i] = sink.length();
  }
  return { width: 'any', data: sink.take(), starts, ends, version };
}
