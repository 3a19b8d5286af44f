import { readFileSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ParquetDescription, ParquetType, SourceFile } from '../../src/source/source-file.ts';
import { readParquet } from '../../src/source/parquet/read-parquet.ts';
import { rowText } from '../../src/source/parquet/value-text.ts';

/** The files of test/corpus/files/parquet, and their twins. */
const folder = new URL('../corpus/files/parquet/', import.meta.url);

export interface Twin {
  readonly columns: readonly { readonly name: string; readonly type: ParquetType }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export function corpusNames(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => name.replace(/\.parquet$/, ''));
}

export function corpusFile(name: string): SourceFile {
  const path = fileURLToPath(new URL(`${name}.parquet`, folder));
  const { size, mtimeMs } = statSync(path);
  return { path, name, format: 'parquet', compression: 'none', bytes: size, mtimeMs };
}

export function corpusTwin(name: string): Twin {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Twin;
}

/** All rows of a file as text; with `reuse`, read into the same memory batch after batch. */
export async function allRows(
  file: SourceFile,
  description: ParquetDescription,
  columns = description.columns,
  reuse = false,
): Promise<(string | null)[][]> {
  const rows: (string | null)[][] = [];
  const names = columns.map((column) => column.name);
  for await (const batch of readParquet(file, description, { columns: names, reuse })) {
    for (let row = 0; row < batch.rows; row++) rows.push(rowText(batch, columns, row));
  }
  return rows;
}
