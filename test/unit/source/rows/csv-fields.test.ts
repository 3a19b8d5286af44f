import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { splitFields } from '../../../../src/source/rows/csv-fields.ts';
import { csvOf } from '../../../support/random-load.ts';

const COMMAS = { delimiter: ',', quote: '"', escape: '"', null: '' };

describe('splitFields', () => {
  it.each<[string, string, (string | null)[]]>([
    ['plain fields', 'a,b,c', ['a', 'b', 'c']],
    ['empty fields, which are NULL', ',b,', [null, 'b', null]],
    ['a quoted empty field, which is a text', '"",b', ['', 'b']],
    ['quotes around all', '"a","b"', ['a', 'b']],
    ['a delimiter and a line end in quotes', '"a,b","c\nd"', ['a,b', 'c\nd']],
    ['a doubled quote', '"say ""hi""",x', ['say "hi"', 'x']],
    ['quotes in the middle, which COPY drops', '5" by 6",x', ['5 by 6', 'x']],
    ['a quoted part', 'a"b,c"d,e', ['ab,cd', 'e']],
    ['an empty record', '', [null]],
    ['characters beyond ASCII', 'ä,"é"', ['ä', 'é']],
  ])('reads %s', (_, record, fields) => {
    expect(splitFields(record, COMMAS)).toEqual(fields);
  });

  it('takes another escape for what it is', () => {
    const format = { ...COMMAS, escape: '\\' };
    expect(splitFields('"a\\"b","c\\\\d","e\\f"', format)).toEqual(['a"b', 'c\\d', 'e\\f']);
  });

  it('knows NULL by its spelling, where it is not quoted', () => {
    const format = { ...COMMAS, delimiter: ';', null: 'NULL' };
    expect(splitFields('NULL;"NULL";;x', format)).toEqual([null, 'NULL', '', 'x']);
  });
});

test('any record is read as it was written', () => {
  const field = fc.option(
    fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', '\\', 'ü') }),
  );
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 6 }), (row) => {
      const columns = row.map((_, place) => `c${place}`);
      const [, ...rest] = csvOf({ columns, rows: [row] }).split(/(?<=c\d+)\n/);
      const record = rest.join('').replace(/\n$/, '');
      expect(splitFields(record, COMMAS)).toEqual(row);
    }),
  );
});
