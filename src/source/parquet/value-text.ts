import { assert } from '../../assert.ts';
import type { ParquetColumn, ParquetType } from '../source-file.ts';
import type { ColumnBatch, NestedValue } from './column-batch.ts';
import { valueAt } from './column-batch.ts';
import { scalarText } from './scalar-text.ts';
import type { ScalarType } from './scalar-text.ts';
import { ValueFault } from './value-fault.ts';

/**
 * A value as the file's CSV twin would spell it, which is how PostgreSQL prints it: exact, floats
 * by their shortest digits, nanoseconds rounded to microseconds, bytes as `\x…`, lists, maps and
 * structs as JSON. Null is NULL. @throws ValueFault where text is not UTF-8
 */
export function valueText(type: ParquetType, value: NestedValue): string | null {
  if (value === null || type.kind === 'null') return null;
  return isScalar(type) ? scalarText(type, value) : jsonText(type, value);
}

/**
 * One row of a batch (0-based) as text, for samples and for rejected rows. Text that is not UTF-8
 * is shown as its bytes, `\x…`: PostgreSQL will refuse it when it is loaded.
 */
export function rowText(
  batch: ColumnBatch,
  columns: readonly ParquetColumn[],
  row: number,
): (string | null)[] {
  return batch.columns.map((vector, index) => {
    const column = columns[index];
    assert(column !== undefined, 'every vector has its column');
    try {
      return valueText(column.type, valueAt(vector, row));
    } catch (error) {
      if (error instanceof ValueFault) return error.value;
      throw error;
    }
  });
}

/**
 * JSON as PostgreSQL's to_jsonb makes it: integers, decimals and floats are numbers of all their
 * digits, timestamps ISO 8601. JSON has no NaN and no Infinity: they become strings, since null
 * would lose them. Bytes are strings `\x…`. Keys of a map become strings.
 */
export function jsonText(type: ParquetType, value: NestedValue): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'null':
      return 'null';
    case 'list': {
      const items = itemsOf(value).map((item) => jsonText(type.element, item));
      return `[${items.join(', ')}]`;
    }
    case 'struct': {
      const items = itemsOf(value);
      const fields = type.fields.map(
        (field, index) =>
          `${JSON.stringify(field.name)}: ${jsonText(field.type, items[index] ?? null)}`,
      );
      return `{${fields.join(', ')}}`;
    }
    case 'map': {
      const pairs = itemsOf(value).map((pair) => {
        const [key = null, item = null] = itemsOf(pair);
        const name = valueText(type.key, key) ?? '';
        return `${JSON.stringify(name)}: ${jsonText(type.value, item)}`;
      });
      return `{${pairs.join(', ')}}`;
    }
    default:
      return scalarJson(type, value);
  }
}

/**
 * A list as PostgreSQL's array literal, for a column that is an array: `{1,NULL,"a b"}`. Lists
 * inside become further dimensions, maps and structs the text of their JSON.
 */
export function arrayText(element: ParquetType, value: NestedValue): string {
  const items = itemsOf(value).map((item) => {
    if (item !== null && element.kind === 'list') return arrayText(element.element, item);
    const text = valueText(element, item);
    if (text === null) return 'NULL';
    const plain = text !== '' && !/[{}",\\\s]/.test(text) && !/^null$/i.test(text);
    return plain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${items.join(',')}}`;
}

function scalarJson(type: ScalarType, value: NestedValue): string {
  const text = scalarText(type, value);
  switch (type.kind) {
    case 'boolean':
    case 'integer':
    case 'decimal':
      return text;
    case 'float':
      return /\d/.test(text) ? text : JSON.stringify(text);
    case 'timestamp':
      return JSON.stringify(text.replace(' ', 'T').replace('+00', '+00:00'));
    case 'json':
      return isJson(text) ? text : JSON.stringify(text);
    default:
      return JSON.stringify(text);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function itemsOf(value: NestedValue): readonly NestedValue[] {
  assert(Array.isArray(value), 'the value is nested');
  return value as readonly NestedValue[];
}

function isScalar(type: ParquetType): type is ScalarType {
  return !(type.kind === 'list' || type.kind === 'map' || type.kind === 'struct');
}
