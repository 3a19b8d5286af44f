import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyLine, readCopyLines } from '../../../../src/source/rows/copy-text.ts';

test('a line holds NULL, tabs, line ends and backslashes as COPY wants them', () => {
  expect(copyLine(['a', null, 'b\tc', 'd\ne', '\\N', '\\.', 'f\rg', ''])).toBe(
    'a\t\\N\tb\\tc\td\\ne\t\\\\N\t\\\\.\tf\\rg\t\n',
  );
});

test('what is written is read', () => {
  const field = fc.option(
    fc.string({ unit: fc.constantFrom('N', '.', '\\', '\t', '\n', '\r', '\b', 'ü', '😀') }),
  );
  const row = fc.array(field, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
      expect(readCopyLines(Buffer.from(rows.map(copyLine).join('')))).toEqual(rows);
    }),
  );
});

test('escapes that COPY knows are read, and the others as the character', () => {
  expect(readCopyLines(Buffer.from('\\b\\f\\v\\"\t\\N\n'))).toEqual([['\b\f\v"', null]]);
});
