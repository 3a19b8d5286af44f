import { describe, expect, it } from 'vitest';
import { collectColumns } from '../../../src/plan/new-columns.ts';
import { createSql, planNewTable } from '../../../src/plan/new-table.ts';
import type { LoadRequest } from '../../../src/job/schema.ts';
import type { ParquetDescription, ParquetType } from '../../../src/source/source-file.ts';
import { fakeContext, fakeCsv, type FakeFile } from './fake-context.ts';
import { column, csv, csvFile, request } from './fixtures.ts';

const INTEGER: ParquetType = { kind: 'integer', bits: 32, signed: true };

function parquet(columns: Readonly<Record<string, ParquetType>>): FakeFile {
  const description: ParquetDescription = {
    kind: 'parquet',
    columns: Object.entries(columns).map(([name, type]) => ({ name, type, nullable: true })),
    rows: 2,
    rowGroups: [],
    createdBy: null,
  };
  return { file: csvFile('p.parquet', { format: 'parquet' }), description, rows: [] };
}

async function planned(files: readonly FakeFile[], more: Partial<LoadRequest> = {}) {
  const context = fakeContext({ files });
  const described = await Promise.all(
    files.map(async ({ file }, ordinal) => {
      const description = await context.source.describeFile(file, request().csv);
      const columns = description.columns.map((each) =>
        typeof each === 'string' ? each : each.name,
      );
      return { ordinal, file, description, columns };
    }),
  );
  const name = { schema: 'public', name: 'orders' };
  return planNewTable(request({ key: ['id'], ...more }), name, described, context);
}

describe('a table that is created', () => {
  it('has the columns of all files, types from the sample, and the key', async () => {
    const { table, key, notices } = await planned([
      fakeCsv('a.csv', ['id', 'Zip Code', 'order'], [['1', '02134', '2024-01-01']]),
      fakeCsv('b.csv', ['ID', 'zip_code', 'price'], [['9000000000', '10115', '1.5']]),
    ]);
    expect(table.create).toBe(
      `create table public.orders (
  id bigint not null,
  "Zip Code" text,
  "order" date,
  price numeric,
  primary key (id)
)`,
    );
    expect(table).toMatchObject({ oid: null, sqlName: 'public.orders', empty: true });
    expect(table.columns.map((each) => each.notNull)).toEqual([true, false, false, false]);
    expect(key).toEqual(['id']);
    expect(notices).toEqual([]);
  });

  it.each<[string, string, ParquetType, readonly string[]]>([
    ['that fits', 'integer', INTEGER, ['1', '2']],
    ['that does not fit', 'text', INTEGER, ['3000000000']],
    ['of any kind', 'bigint', { kind: 'null' }, ['1']],
  ])("keeps Parquet's type beside a CSV file %s: %s", async (_, expected, kind, values) => {
    const { table } = await planned([
      parquet({ id: kind }),
      fakeCsv(
        'a.csv',
        ['id'],
        values.map((value) => [value]),
      ),
    ]);
    expect(table.columns[0]?.type.declared).toBe(expected);
  });

  it('takes the types that the job gives, and renames and leaves out what it says', async () => {
    const { table, key } = await planned(
      [fakeCsv('a.csv', ['nr', 'note', 'x'], [['1', '2', '3']])],
      { key: ['ID'], columns: { nr: 'id', x: null }, types: { Note: 'numeric(10,2)' } },
    );
    expect(table.columns.map((each) => `${each.name} ${each.type.declared}`)).toEqual([
      'id bigint',
      'note numeric(10,2)',
    ]);
    expect(key).toEqual(['id']);
  });

  it('has no key with append', async () => {
    const file = fakeCsv('a.csv', ['id'], [['1']]);
    const { table } = await planned([file], { key: null, onConflict: 'append' });
    expect(table.create).toBe('create table public.orders (\n  id bigint\n)');
  });

  it('says that types are guessed where not all rows were looked at', async () => {
    const rows = Array.from({ length: 20_001 }, (_, i) => [String(i), 'x']);
    const { notices } = await planned([fakeCsv('a.csv', ['id', 'name'], rows)]);
    expect(notices).toEqual([
      'The types of id are guessed from 20,000 sampled rows; name them in types where the guess is wrong.',
    ]);
  });

  it.each<[string, Partial<LoadRequest>, readonly string[], string]>([
    ['creating is off', { createTable: false }, ['id'], '--no-create-table'],
    ['no key is named', { key: null }, ['id'], 'nothing says which columns are its key'],
    ['the key is not there', { key: ['idd'] }, ['id'], 'Did you mean "id"?'],
    ['a type is unknown', { types: { id: 'nonsense' } }, ['id'], 'ETL_COLUMN_TYPE'],
    ['a type is of no column', { types: { nam: 'text' } }, ['id', 'name'], 'Did you mean "name"?'],
    ['a name is too long', {}, ['id', 'ü'.repeat(32)], '63 bytes'],
    ['nothing is left', { columns: { id: null } }, ['id'], 'No column is left'],
    ['it would be too wide', {}, Array.from({ length: 1_601 }, (_, i) => `c${i}`), '1600'],
  ])('is refused where %s', async (_, more, columns, message) => {
    const file = fakeCsv('a.csv', columns, []);
    await expect(planned([file], more)).rejects.toThrow(message);
  });

  it('quotes hostile and reserved names', () => {
    const sql = createSql({ schema: 'public', name: 'user' }, [column('a"; drop--')], []);
    expect(sql).toBe('create table public."user" (\n  "a""; drop--" text\n)');
  });
});

describe('the columns of all files', () => {
  it('are one where they differ in case only, unless one file has both', () => {
    const names = (...files: readonly (readonly string[])[]) =>
      collectColumns(
        files.map((columns, ordinal) => ({
          ordinal,
          file: csvFile(`${ordinal}.csv`),
          description: csv(columns),
          columns,
        })),
        {},
      ).map((each) => `${each.name}:${[...each.sources.values()].join('|')}`);
    expect(names(['id', 'A B'], ['ID', 'a_b'])).toEqual(['id:id|ID', 'A B:A B|a_b']);
    expect(names(['id', 'ID'], ['ID'])).toEqual(['id:id', 'ID:ID|ID']);
  });
});
