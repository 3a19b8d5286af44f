import { describe, expect, it } from 'vitest';
import { holds, INFERRED_TYPES, isInteger, isTime } from '../../../src/plan/value-types.ts';

const cases: readonly [value: string, types: readonly string[]][] = [
  ['true', ['boolean']],
  ['FALSE', ['boolean']],
  ['t', ['boolean']],
  ['F', []],
  ['yes', []],
  ['0', ['bigint', 'numeric', 'double precision']],
  ['-12', ['bigint', 'numeric', 'double precision']],
  ['1', ['bigint', 'numeric', 'double precision']],
  ['02134', []],
  ['+49', []],
  [' 5', []],
  ['9223372036854775807', ['bigint', 'numeric']],
  ['-9223372036854775808', ['bigint', 'numeric']],
  ['9223372036854775808', ['numeric']],
  ['1.50', ['numeric', 'double precision']],
  ['.5', ['numeric', 'double precision']],
  ['1.', []],
  ['-', []],
  ['.', []],
  ['12,50', []],
  ['0.1234567890123456789', ['numeric']],
  ['1e5', ['double precision']],
  ['-1.5E-10', ['double precision']],
  ['1e400', []],
  ['NaN', []],
  ['2024-02-29', ['date', 'timestamp']],
  ['2023-02-29', []],
  ['2023-02-30', []],
  ['0000-01-01', []],
  ['24-01-01', []],
  ['01/02/2024', []],
  ['2024-01-02 03:04:05', ['timestamp']],
  ['2024-01-02T03:04', ['timestamp']],
  ['2024-01-02 03:04:05.123456', ['timestamp']],
  ['2024-01-02 03:04:05.123456000', ['timestamp']],
  ['2024-01-02 03:04:05.123456789', []],
  ['2024-01-02 24:00:00', []],
  ['2024-01-02 03:04:05Z', ['timestamptz']],
  ['2024-01-02 03:04:05 +00', ['timestamptz']],
  ['2024-01-02T03:04:05.5-08:00', ['timestamptz']],
  ['2024-01-02+02', []],
  ['6F9619FF-8B86-D011-B42D-00CF4FC964FF', ['uuid']],
  ['6f9619ff8b86d011b42d00cf4fc964ff', []],
  ['{"a": 1}', ['jsonb']],
  ['[1, 2]', ['jsonb']],
  ['{a: 1}', []],
  ['{"a": "\\u0000"}', []],
  ['"a"', []],
  ['', []],
];

describe('which types hold a value without loss', () => {
  it.each(cases)('%j: %j', (value, types) => {
    expect(INFERRED_TYPES.filter((type) => holds(type, value))).toEqual(types);
    expect(holds('text', value)).toBe(true);
  });

  it('knows the ends of the narrower integers', () => {
    const max = 2n ** 15n - 1n;
    expect(['32767', '-32768', '32768', '-32769'].map((value) => isInteger(value, max))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('takes times of day', () => {
    expect(['00:00', '23:59:59.999999', '24:00', '7:00'].map(isTime)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
