import { describe, expect, it } from 'vitest';
import { rangesMeet, type KeyRange } from '../../../src/conflict/key-range.ts';

const integers = (min: string, max: string): KeyRange => ({ kind: 'integer', min, max });
const texts = (min: string, max: string): KeyRange => ({ kind: 'bytes', min, max });

describe('two ranges of keys', () => {
  it.each<readonly [string, KeyRange | null, KeyRange | null, boolean]>([
    ['that lie apart', integers('1', '9'), integers('10', '99'), false],
    ['that share one end', integers('1', '10'), integers('10', '99'), true],
    ['of which one holds the other', integers('1', '99'), integers('10', '20'), true],
    ['of numbers below zero', integers('-10', '-2'), integers('-1', '3'), false],
    [
      'beyond what a double tells apart',
      integers('1', '9007199254740992'),
      integers('9007199254740993', '9007199254740999'),
      false,
    ],
    // As UTF-16 the second begins below the first, by its surrogate.
    ['of texts by their bytes', texts('a', '\uffee'), texts('\u{1f600}', '\u{1f601}'), false],
    ['of texts that share one end', texts('a', 'b'), texts('b', 'c'), true],
    ['of other kinds', integers('1', '9'), texts('x', 'y'), true],
    ['of which one is not known', integers('1', '9'), null, true],
  ])('%s', (_, one, other, meet) => {
    expect([rangesMeet(one, other), rangesMeet(other, one)]).toEqual([meet, meet]);
  });
});
