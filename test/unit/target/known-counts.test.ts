import { expect, test } from 'vitest';
import { NO_COUNTS, sumKnown } from '../../../src/target/known-counts.ts';

test('counts are added up, but for those that one of the files does not know', () => {
  const one = { ...NO_COUNTS, rowsRead: 3, inserted: 2, rejected: 1 };
  const other = { ...one, inserted: null };
  expect(sumKnown([one, other])).toEqual({ ...NO_COUNTS, rowsRead: 6, rejected: 2 });
  const none = { inserted: 0, updated: 0, unchanged: 0, superseded: 0 };
  expect(sumKnown([])).toEqual({ ...none, rowsRead: 0, rejected: 0 });
});
