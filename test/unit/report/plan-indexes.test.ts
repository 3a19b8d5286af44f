import { expect, test } from 'vitest';
import { printPlan } from '../../../src/report/plan-text.ts';
import { loadPlan, plan } from './fixtures.ts';

const OPTIONS = { color: false, width: 100, verbose: true };
const INDEX = { unique: false, using: 'btree ("at")', definition: 'btree (at)' };

test('a plan says what becomes of each index, and which columns decide', () => {
  const load = loadPlan({
    compare: ['content', 'title'],
    insertOnly: ['created_at'],
    indexes: [
      { ...INDEX, name: 'a_idx', there: 'a_idx' },
      { ...INDEX, name: 'b_idx', there: 'mine' },
      { ...INDEX, name: 'c_idx', there: null, unique: true },
    ],
  });
  const text = printPlan(plan([load]), OPTIONS);
  expect(text).toContain('a row is written where content or title differs');
  expect(text).toContain('created_at: written with a new row, and never changed');
  expect(text).toContain('a_idx: btree (at); is there\n');
  expect(text).toContain('b_idx: btree (at); is there as mine');
  expect(text).toContain('c_idx: unique, btree (at); made once the rows are loaded');
});

test('a plan without them says nothing of them', () => {
  const text = printPlan(plan([loadPlan()]), OPTIONS);
  expect(text).not.toMatch(/Indexes|Compare|Kept/);
});
