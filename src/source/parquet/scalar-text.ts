import { isUtf8 } from 'node:buffer';
import { assert } from '../../assert.ts';
import type { ParquetType } from '../source-file.ts';
import type { NestedValue } from './column-batch.ts';
import { bigIntOfBytes, decimalText, floatText, halfFloat } from './number-text.ts';
import {
  dateText,
  int96Microseconds,
  intervalText,
  timestampText,
  timeText,
  toMicroseconds,
} from './time-text.ts';
import { ValueFault } from './value-fault.ts';

/** The types whose values are not made of others. */
export type ScalarType = Exclude<ParquetType, { kind: 'list' | 'map' | 'struct' | 'null' }>;

/** A value of a scalar type as PostgreSQL prints it. @throws ValueFault where text is not UTF-8 */
export function scalarText(type: ScalarType, value: NestedValue): string {
  switch (type.kind) {
    case 'boolean':
      return value === true ? 'true' : 'false';
    case 'integer':
      return integerText(type, value);
    case 'float':
      return floatText(type.bits === 16 ? halfFloat(bytesOf(value)) : Number(value), type.bits);
    case 'decimal':
      return decimalText(unscaledOf(value), type.scale);
    case 'date':
      return dateText(Number(value));
    case 'time':
      return timeText(toMicroseconds(bigIntOf(value), type.unit));
    case 'timestamp':
      return timestampText(timestampMicroseconds(type, value), type.utc);
    case 'interval':
      return intervalText(bytesOf(value));
    case 'uuid':
      return uuidText(bytesOf(value));
    case 'string':
    case 'enum':
    case 'json':
      return utf8Text(bytesOf(value));
    case 'bson':
    case 'binary':
      return hexText(bytesOf(value));
  }
}

/** Integers without a sign lie in the same bits as those with one. */
function integerText(type: ScalarType & { kind: 'integer' }, value: NestedValue): string {
  if (type.signed) return String(value);
  return typeof value === 'bigint'
    ? String(BigInt.asUintN(64, value))
    : String(Number(value) >>> 0);
}

function timestampMicroseconds(
  type: ScalarType & { kind: 'timestamp' },
  value: NestedValue,
): bigint {
  return type.int96
    ? int96Microseconds(bytesOf(value))
    : toMicroseconds(bigIntOf(value), type.unit);
}

/** The unscaled integer of a decimal, whatever it is stored as. */
export function unscaledOf(value: NestedValue): bigint {
  return value instanceof Uint8Array ? bigIntOfBytes(value) : bigIntOf(value);
}

/** Invalid text would turn into replacement characters without a word. */
function utf8Text(bytes: Uint8Array): string {
  const buffer = bufferOf(bytes);
  if (!isUtf8(buffer)) throw new ValueFault('is not valid UTF-8', hexText(bytes));
  return buffer.toString('utf8');
}

export function hexText(bytes: Uint8Array): string {
  return `\\x${bufferOf(bytes).toString('hex')}`;
}

function uuidText(bytes: Uint8Array): string {
  const hex = bufferOf(bytes).toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bytesOf(value: NestedValue): Uint8Array {
  assert(value instanceof Uint8Array, 'the value is stored as bytes');
  return value;
}

function bigIntOf(value: NestedValue): bigint {
  assert(typeof value === 'number' || typeof value === 'bigint', 'the value is an integer');
  return BigInt(value);
}
