import type { SchemaElement } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { leavesOf, readSchema, typeOf } from '../../../../src/source/parquet/parquet-schema.ts';

const INT = { kind: 'integer', bits: 32, signed: true };
const root = (children: number): SchemaElement => ({ name: 'root', num_children: children });
const leaf = (name: string, repetition: SchemaElement['repetition_type']): SchemaElement => ({
  name,
  type: 'INT32',
  ...(repetition === undefined ? {} : { repetition_type: repetition }),
});
const group = (
  name: string,
  repetition: 'REQUIRED' | 'OPTIONAL' | 'REPEATED',
  children: number,
  annotation: Partial<SchemaElement> = {},
): SchemaElement => ({
  name,
  repetition_type: repetition,
  num_children: children,
  ...annotation,
});
const LIST = { converted_type: 'LIST' } as const;

/** The type of the only column, and its leaf's levels (definition, repetition). */
function columnOf(...elements: SchemaElement[]): unknown {
  const [node, more] = readSchema([root(1), ...elements]);
  if (node === undefined || more !== undefined) throw new Error('One column was expected.');
  return {
    type: typeOf(node),
    nullable: node.nullable,
    levels: leavesOf(node).map((one) => [one.definition, one.repetition]),
  };
}

describe('lists', () => {
  it('of three levels', () => {
    const expected = { type: { kind: 'list', element: INT }, nullable: true, levels: [[3, 1]] };
    const item = [group('list', 'REPEATED', 1), leaf('element', 'OPTIONAL')];
    expect(columnOf(group('l', 'OPTIONAL', 1, LIST), ...item)).toEqual(expected);
    const newer = { logical_type: { type: 'LIST' } } as const;
    expect(columnOf(group('l', 'OPTIONAL', 1, newer), ...item)).toEqual(expected);
  });

  it('of two levels, where the repeated field is the element', () => {
    expect(columnOf(group('l', 'OPTIONAL', 1, LIST), leaf('array', 'REPEATED'))).toEqual({
      type: { kind: 'list', element: INT },
      nullable: true,
      levels: [[2, 1]],
    });
  });

  it('of structs of one field, which older writers name array or _tuple', () => {
    for (const name of ['array', 'l_tuple']) {
      const item = [group(name, 'REPEATED', 1), leaf('x', 'REQUIRED')];
      expect(columnOf(group('l', 'REQUIRED', 1, LIST), ...item)).toMatchObject({
        type: { kind: 'list', element: { kind: 'struct', fields: [{ name: 'x' }] } },
      });
    }
  });

  it('of structs of two fields without a level of their own', () => {
    const item = [group('element', 'REPEATED', 2), leaf('x', 'REQUIRED'), leaf('y', 'OPTIONAL')];
    expect(columnOf(group('l', 'OPTIONAL', 1, LIST), ...item)).toMatchObject({
      type: { kind: 'list', element: { kind: 'struct', fields: [{ name: 'x' }, { name: 'y' }] } },
      levels: [
        [2, 1],
        [3, 1],
      ],
    });
  });

  it('of lists', () => {
    const inner = [group('array', 'REPEATED', 1, LIST), leaf('array', 'REPEATED')];
    expect(columnOf(group('l', 'OPTIONAL', 1, LIST), ...inner)).toEqual({
      type: { kind: 'list', element: { kind: 'list', element: INT } },
      nullable: true,
      levels: [[3, 2]],
    });
  });

  it('that are only a repeated field', () => {
    expect(columnOf(leaf('l', 'REPEATED'))).toEqual({
      type: { kind: 'list', element: INT },
      nullable: false,
      levels: [[1, 1]],
    });
  });
});

describe('maps', () => {
  const entries = [
    group('key_value', 'REPEATED', 2),
    leaf('key', 'REQUIRED'),
    leaf('value', 'OPTIONAL'),
  ];

  it.each(['MAP', 'MAP_KEY_VALUE'] as const)('annotated as %s', (annotation) => {
    expect(columnOf(group('m', 'OPTIONAL', 1, { converted_type: annotation }), ...entries)).toEqual(
      {
        type: { kind: 'map', key: INT, value: INT },
        nullable: true,
        levels: [
          [2, 1],
          [3, 1],
        ],
      },
    );
  });

  it('of keys alone', () => {
    const keys = [group('key_value', 'REPEATED', 1), leaf('key', 'REQUIRED')];
    expect(columnOf(group('m', 'REQUIRED', 1, { converted_type: 'MAP' }), ...keys)).toMatchObject({
      type: { kind: 'map', value: { kind: 'null' } },
    });
  });
});

describe('leaf types', () => {
  it.each<[Partial<SchemaElement>, object]>([
    [
      { type: 'INT64', converted_type: 'UINT_64' },
      { kind: 'integer', bits: 64, signed: false },
    ],
    [
      { type: 'INT32', converted_type: 'INT_16' },
      { kind: 'integer', bits: 16, signed: true },
    ],
    [
      { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
      { kind: 'timestamp', unit: 'ms', utc: true, int96: false },
    ],
    [
      { type: 'INT64', converted_type: 'TIME_MICROS' },
      { kind: 'time', unit: 'us', utc: true },
    ],
    [{ type: 'INT96' }, { kind: 'timestamp', unit: 'ns', utc: false, int96: true }],
    [
      { type: 'BYTE_ARRAY', converted_type: 'DECIMAL', precision: 50, scale: 3 },
      { kind: 'decimal', precision: 50, scale: 3 },
    ],
    [{ type: 'BYTE_ARRAY', converted_type: 'BSON' }, { kind: 'bson' }],
    [{ type: 'BYTE_ARRAY' }, { kind: 'binary' }],
    [
      { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12, converted_type: 'INTERVAL' },
      { kind: 'interval' },
    ],
    // An annotation that cannot be, on these bytes, is not believed.
    [
      { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 8, logical_type: { type: 'UUID' } },
      { kind: 'binary' },
    ],
    [{ type: 'INT32', logical_type: { type: 'NULL' } }, { kind: 'null' }],
  ])('%o', (element, type) => {
    expect(columnOf({ name: 'v', repetition_type: 'REQUIRED', ...element })).toMatchObject({
      type,
    });
  });

  it('refuses decimals that cannot be', () => {
    const element = { name: 'v', type: 'INT32', converted_type: 'DECIMAL' } as const;
    expect(() => readSchema([root(1), { ...element, precision: 3, scale: 5 }])).toThrow(/decimal/);
    expect(() => readSchema([root(1), { ...element, precision: 3, scale: -1 }])).toThrow(/decimal/);
  });
});

describe('schemas that are damaged', () => {
  it('are refused', () => {
    expect(() => readSchema([])).toThrow(/too early/);
    expect(() => readSchema([root(2), leaf('v', 'REQUIRED')])).toThrow(/too early/);
    expect(() => readSchema([root(1), leaf('v', 'REQUIRED'), leaf('w', 'REQUIRED')])).toThrow(
      /without a parent/,
    );
    expect(() => readSchema([root(1), group('g', 'REQUIRED', 0)])).toThrow(/no type/);
    const deep = Array.from({ length: 100 }, () => group('g', 'REQUIRED', 1));
    expect(() => readSchema([root(1), ...deep, leaf('v', 'REQUIRED')])).toThrow(/deeply/);
  });
});
