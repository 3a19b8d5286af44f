import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { safeLines, safeText } from '../../../src/report/safe-text.ts';

describe('safeText', () => {
  test.each([
    ['clears the screen', 'a\u001b[2Jb.csv', 'a\\x1b[2Jb.csv'],
    ['renames the window', '\u001b]0;owned\u0007', '\\x1b]0;owned\\x07'],
    ['an 8-bit control sequence', 'a\u009b31mb', 'a\\x9b31mb'],
    ['line ends and tabs', 'a\r\n\tb', 'a\\x0d\\x0a\\x09b'],
    ['DEL', 'a\u007fb', 'a\\x7fb'],
    ['turns the direction', 'gpj\u202eexe', 'gpj\\u202eexe'],
    ['a lone surrogate', 'a\ud83db', 'a\\ud83db'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
  ])('%s', (_, text, safe) => expect(safeText(text)).toBe(safe));

  test('leaves what people write', () => {
    const text = 'Übersicht 日本語 👩‍👧 é "a\\b".csv';
    expect(safeText(text)).toBe(text);
  });

  test('never lets a control character through, and says the same of what is already safe', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const safe = safeText(text);
        expect(safe).not.toMatch(/\p{Cc}|\p{Cs}/u);
        expect(safeText(safe)).toBe(safe);
      }),
    );
  });

  test('keeps the lines of a text of several lines', () => {
    expect(safeLines('create table a (\r\n\tid bigint -- \u001b\n)')).toEqual([
      'create table a (',
      '  id bigint -- \\x1b',
      ')',
    ]);
  });
});
