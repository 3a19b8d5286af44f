import { expect, test } from 'vitest';
import { textArray } from '../../../src/target/text-array.ts';

test.for([
  [[], '{}'],
  [['1', '-2.5e+3', '2024-01-31', '12:00'], '{1,-2.5e+3,2024-01-31,12:00}'],
  [[null, 'null', 'NULL', 'nullable', ''], '{NULL,"null","NULL",nullable,""}'],
  [['a b', 'a,b', '{a}', 'ä', ' '], '{"a b","a,b","{a}","ä"," "}'],
  [['a"b', 'a\\b', '\\"'], '{"a\\"b","a\\\\b","\\\\\\""}'],
] as const)('%j is %s', ([values, text]) => {
  expect(textArray(values)).toBe(text);
});
