import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseText } from '../../../../src/source/csv/parse-text.ts';
import { splitRecords } from '../../../../src/source/csv/split-records.ts';
import type { CsvDialect } from '../../../../src/source/source-file.ts';

const plain: CsvDialect = {
  delimiter: ',',
  quote: '"',
  escape: '"',
  null: '',
  encoding: 'utf8',
  header: true,
  skipLines: 0,
  comment: null,
  trim: false,
};

function split(text: string | Buffer, more: Partial<CsvDialect> = {}, columns = 2) {
  const fields = Array.from({ length: columns }, (_, index) => index);
  return splitRecords(Buffer.from(text), { dialect: { ...plain, ...more }, columns, fields });
}

/** What csv-parse makes of the same text. */
function parsed(text: string, dialect: CsvDialect, columns: number, fields: readonly number[]) {
  const records = parseText(text, dialect, columns, { skip_records_with_error: true });
  const fitting = records.filter((record) => record.length === columns);
  return {
    rows: fitting.map((record) => fields.map((field) => record[field])),
    records: records.length,
  };
}

describe('records that are split', () => {
  it.each([
    ['1,a\n2,b\n', [['1', 'a'], ['2', 'b']]], // prettier-ignore
    ['1,\n,b', [['1', null], [null, 'b']]], // prettier-ignore
    ['1,""\n"2","b"\r', null],
    ['"1","a ""b"", c"\r\n"2\n3",""\r\n', [['1', 'a "b", c'], ['2\n3', '']]], // prettier-ignore
    ['\n\n1,é漢\n\n', [['1', 'é漢']]],
    ['1,"a""', null],
    ['1\n1,2,3\n4,5\n', [['4', '5']]],
  ])('of %j', (text, rows) => {
    const found = split(text);
    expect(found === null ? null : found.rows).toEqual(rows);
  });

  it('are counted, those that do not fit as well, and empty lines are NULL in one column', () => {
    expect(split('1\n1,2,3\n\n4,5\n')?.records).toBe(3);
    expect(split('a\n\n"b"', {}, 1)).toEqual({ rows: [['a'], [null], ['b']], records: 3 });
  });

  it('give the wanted fields in the order wanted, and NULL as the dialect spells it', () => {
    const dialect = { ...plain, delimiter: '\t', null: 'NULL' };
    const bytes = Buffer.from('1\tNULL\t"NULL"\n');
    expect(splitRecords(bytes, { dialect, columns: 3, fields: [2, 1] })?.rows).toEqual([
      ['NULL', null],
    ]);
  });
});

it.each([
  ['a quote in an unquoted field', '1,5" by 6"\n', {}],
  ['text after a closing quote', '1,"a"b\n', {}],
  ['a quote that is never closed', '1,"a\n2,b\n', {}],
  ['two kinds of line ends', '1,a\r\n2,b\n', {}],
  ['line ends of old', '1,a\r2,b\r', {}],
  ['an escape other than the quote, where there are quotes', '1,"a"\n', { escape: '\\' }],
  ['bytes that are not UTF-8', Buffer.from('1,\xe9\n', 'latin1'), {}],
  ['another encoding', Buffer.from('1,\xe9\n', 'latin1'), { encoding: 'latin1' }],
  ['a byte-order mark', '\ufeff1,a\n', {}],
])('%s is left to csv-parse', (_, text, more) => {
  expect(split(text, more)).toBeNull();
});

it('gives what csv-parse gives, of random documents', () => {
  const cell = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('', '1', 'N', 'ab c', 'é', ' x ') },
    { weight: 2, arbitrary: fc.constantFrom('""', '"a,b"', '"a""b"', '"x\ny"', '"N"', '"\r\n"') },
    { weight: 1, arbitrary: fc.constantFrom('"', 'a"b', '"a"b', '\\', '""""', '\r') },
  );
  const line = fc.array(cell, { minLength: 1, maxLength: 4 });
  let same = 0;
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
      fc.constantFrom('', 'N'),
      fc.constantFrom('"', null),
      fc.integer({ min: 1, max: 3 }),
      (lines, lineEnd, lastEnd, spelled, quote, columns) => {
        const text = lines.map((cells) => cells.join(',')).join(lineEnd) + (lastEnd ? lineEnd : '');
        const dialect = { ...plain, null: spelled, quote, escape: quote };
        const fields = columns === 1 ? [0] : [1, 0];
        const found = splitRecords(Buffer.from(text), { dialect, columns, fields });
        if (found === null) return;
        same++;
        expect(found).toEqual(parsed(text, dialect, columns, fields));
      },
    ),
    { numRuns: 1_000, seed: 5 },
  );
  // Not by leaving all of them to csv-parse.
  expect(same).toBeGreaterThan(250);
});
