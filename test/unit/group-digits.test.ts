import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupDigits } from '../../src/group-digits.ts';

test.for([
  [0, 0, '0'],
  [999, 0, '999'],
  [1_000, 0, '1,000'],
  [1_234_567.8, 0, '1,234,568'],
  [-1_234, 0, '-1,234'],
  [999_999.96, 1, '1,000,000.0'],
  [1_234.25, 2, '1,234.25'],
] as const)('%d with %d decimals is %s', ([value, decimals, text]) => {
  expect(groupDigits(value, decimals)).toBe(text);
});

test('whole numbers are written as Intl writes them', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      expect(groupDigits(value)).toBe(value.toLocaleString('en-US').replace(/^-0$/, '0'));
    }),
  );
});
