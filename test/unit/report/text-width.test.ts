import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { safeText } from '../../../src/report/safe-text.ts';
import {
  cutEnd,
  cutMiddle,
  displayWidth,
  padEnd,
  wrapText,
} from '../../../src/report/text-width.ts';

const anyText = fc.string({ unit: 'grapheme' }).map(safeText);

describe('the width of text', () => {
  test.each([
    ['', 0],
    ['orders.csv', 10],
    ['日本語', 6],
    ['한국', 4],
    ['ｆｕｌｌ', 8],
    ['e\u0301', 1],
    ['👩‍👧', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['…–─█', 4],
  ])('%s', (text, width) => expect(displayWidth(text)).toBe(width));

  test('padding fills up to the width', () => {
    expect(padEnd('日', 4)).toBe('日  ');
    expect(padEnd('abc', 2)).toBe('abc');
  });
});

describe('cutting', () => {
  test.each([
    ['short.csv', 9, 'short.csv'],
    ['a-very-long-export-name-2025-03-01.csv', 20, 'a-very-…25-03-01.csv'],
    ['日本語の売上データ.csv', 12, '日本…タ.csv'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('%s in the middle, to %s', (text, width, cut) => expect(cutMiddle(text, width)).toBe(cut));

  test('at the end', () => {
    expect(cutEnd('日本語', 5)).toBe('日本…');
    expect(cutEnd('abc', 3)).toBe('abc');
    expect(cutEnd('abc', 1)).toBe('…');
    expect(cutEnd('abc', 0)).toBe('');
  });

  test('never is wider than asked, and what fits stays', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 30 }), (text, width) => {
        for (const cut of [cutMiddle, cutEnd]) {
          expect(displayWidth(cut(text, width))).toBeLessThanOrEqual(width);
          if (displayWidth(text) <= width) expect(cut(text, width)).toBe(text);
        }
      }),
    );
  });
});

describe('wrapping', () => {
  test('breaks at spaces, and words that are too long', () => {
    expect(wrapText('aa bb cccccccccc dd', 5)).toEqual(['aa bb', 'ccccc', 'ccccc', 'dd']);
    expect(wrapText('', 5)).toEqual(['']);
  });

  test('keeps a number and its percent sign together', () => {
    expect(wrapText('less than 95 % of it', 12)).toEqual(['less than', '95 % of it']);
  });

  test('ends where a character is wider than the line', () => {
    expect(wrapText('日本', 1)).toEqual(['日', '本']);
  });

  test('loses nothing and keeps to the width', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 20 }), (text, width) => {
        const lines = wrapText(text, width);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        for (const line of lines)
          expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(width, 4));
      }),
    );
  });
});
