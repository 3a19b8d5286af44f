import { expect, test } from 'vitest';
import { fragmentProblem } from '../../../src/job/sql-fragment.ts';

test.each([
  'lower(email)',
  "(payload ->> 'a;b')",
  `status <> 'it''s' and "odd;name" > 1`,
  String.raw`name ~ E'\';--'`,
  '(a + (b * 2)) desc nulls last',
  'name = $tag$ ) ; -- $tag$',
  "note = $$it's$$",
])('%s is one expression', (text) => {
  expect(fragmentProblem(text)).toBeNull();
});

test.each([
  ['a > 1; drop table t', 'it holds a semicolon'],
  ["a = '1'; select ';'", 'it holds a semicolon'],
  ['a > 1 -- the rest', 'it holds a comment'],
  ['a /* b', 'it holds a comment'],
  ["/* ' */ ; drop table t; -- '", 'it holds a comment'],
  ["a = 'open", 'a quote is left open'],
  ['"open', 'a quote is left open'],
  ['a = $x$ open', 'a quote is left open'],
  [String.raw`a = E'\'`, 'a quote is left open'],
  ['lower(email', 'its parentheses do not match'],
  ['a) or (b', 'its parentheses do not match'],
  [' ', 'it is empty'],
])('%s is not: %s', (text, problem) => {
  // Of several reasons any will do, but none may be missed.
  expect(fragmentProblem(text)).not.toBeNull();
  if (!text.includes('/*')) expect(fragmentProblem(text)).toBe(problem);
});
