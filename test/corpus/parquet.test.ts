import { readFileSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeParquet } from '../../src/source/parquet/describe-parquet.ts';
import { readParquet } from '../../src/source/parquet/read-parquet.ts';
import { rowText } from '../../src/source/parquet/value-text.ts';
import type { ParquetType, SourceFile } from '../../src/source/source-file.ts';

/** `x.parquet` is read, `x.json` says what must come out: two more files are one more test. */
const folder = new URL('./files/parquet/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.parquet'));

interface Twin {
  readonly columns: readonly { readonly name: string; readonly type: ParquetType }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

it('has files', () => {
  expect(names.length).toBeGreaterThan(10);
});

describe.each(names)('%s', (name) => {
  const path = fileURLToPath(new URL(name, folder));
  const file: SourceFile = {
    path,
    name,
    format: 'parquet',
    compression: 'none',
    bytes: statSync(path).size,
    mtimeMs: 0,
  };
  const twin = JSON.parse(readFileSync(path.replace(/\.parquet$/, '.json'), 'utf8')) as Twin;

  it('is described', async () => {
    const { columns, rows } = await describeParquet(file);
    expect(columns.map(({ name: column, type }) => ({ name: column, type }))).toEqual(twin.columns);
    expect(rows).toBe(twin.rows.length);
  });

  it('is read', async () => {
    const description = await describeParquet(file);
    const columns = description.columns.map((column) => column.name);
    const rows: (string | null)[][] = [];
    for await (const batch of readParquet(file, description, { columns })) {
      expect(batch.firstRow).toBe(rows.length + 1);
      for (let row = 0; row < batch.rows; row++) {
        rows.push(rowText(batch, description.columns, row));
      }
    }
    expect(rows).toEqual(twin.rows);
  });

  it('is read column by column, in any order', async () => {
    const description = await describeParquet(file);
    const [first, last] = [description.columns[0], description.columns.at(-1)];
    if (first === undefined || last === undefined) throw new Error('The file has no columns.');
    const rows: (string | null)[][] = [];
    for await (const batch of readParquet(file, description, { columns: [last.name, first.name] })) {
      for (let row = 0; row < batch.rows; row++) rows.push(rowText(batch, [last, first], row));
    }
    expect(rows).toEqual(twin.rows.map((row) => [row.at(-1), row[0]]));
  });
});
