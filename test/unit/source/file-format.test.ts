import { expect, test } from 'vitest';
import { formatOfName } from '../../../src/source/file-format.ts';

test.each([
  ['in/a.csv', 'csv', 'none'],
  ['A.TSV.GZ', 'tsv', 'gzip'],
  ['a.jsonl.zst', 'jsonl', 'zstd'],
  ['a.pq', 'parquet', 'none'],
])('%s is %s, %s', (name, format, compression) => {
  expect(formatOfName(name)).toEqual({ format, compression });
});

test.each([
  ['book.xlsx', 'Save each sheet'],
  ['day.tar.gz', 'Unpack it'],
  ['day.ZIP', 'Unpack it'],
  ['day.csv.bz2', 'gzip (.gz)'],
  ['page.xml', 'Convert it'],
  ['data', 'Known are .csv'],
  ['my.folder/data', 'Known are .csv'],
  ['a.parquet.gz', 'Decompress it'],
])('%s is refused, with what to do', (name, words) => {
  expect(formatOfName(name)).toMatchObject({ remedy: expect.stringContaining(words) as string });
});

test('a name that says nothing is of the format that is asked for', () => {
  expect(formatOfName('data', 'document')).toMatchObject({ format: 'document' });
});
