import { expect, it } from 'vitest';
import { parquetCopySql } from '../../../src/load/copy-parquet.ts';

const target = {
  sqlName: 'pages',
  layout: { copyColumns: ['id', 'page'], parquet: null, json: null },
  forceNull: [],
  ordinal: true,
  where: null,
  columnName: () => null,
};

it.each([
  { bytes: 100, where: null, filter: '' },
  { bytes: 100, where: 'id < 9 or id > 10', filter: ' where id < 9 or id > 10' },
  { bytes: 20_000, where: null, filter: ' where pg_catalog.random() >= 0' },
  {
    bytes: 20_000,
    where: 'id < 9 or id > 10',
    filter: ' where (id < 9 or id > 10) and pg_catalog.random() >= 0',
  },
])('has rows of $bytes bytes written singly where these are many', ({ bytes, where, filter }) => {
  const rowGroups = [
    { rows: 10, uncompressedBytes: 10 * bytes },
    { rows: 30, uncompressedBytes: 30 * bytes },
  ];
  expect(parquetCopySql({ ...target, where }, { rowGroups })).toBe(
    `copy pages ("etl_row", "id", "page") from stdin with (format binary)${filter}`,
  );
});

it('has nothing to write singly in a file without rows', () => {
  expect(parquetCopySql({ ...target, ordinal: false }, { rowGroups: [] })).toBe(
    'copy pages ("id", "page") from stdin with (format binary)',
  );
});
