import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  countRecords,
  createRecordRanges,
  holdsRecord,
  parseRanges,
} from '../../../src/target/record-ranges.ts';

test('neighbours are one range, as PostgreSQL spells it', () => {
  const ranges = createRecordRanges();
  for (const record of [1, 2, 3, 7, 9, 10]) ranges.add(record);
  expect(ranges.text()).toBe('{[1,4),[7,8),[9,11)}');
  expect(parseRanges('{[1,4),[7,8)}')).toEqual([
    [1, 4],
    [7, 8],
  ]);
  expect(createRecordRanges().text()).toBe('{}');
});

test('ranges hold what was added and nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 })), (records) => {
      const ranges = createRecordRanges();
      for (const record of records.toSorted((a, b) => a - b)) ranges.add(record);
      const parsed = parseRanges(ranges.text());
      expect(countRecords(parsed)).toBe(records.length);
      for (let record = 0; record <= 41; record++) {
        expect(holdsRecord(parsed, record)).toBe(records.includes(record));
      }
    }),
  );
});
