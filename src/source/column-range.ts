import type { KeyRange } from '../conflict/key-range.ts';
import type { ParquetDescription, SourceFile } from './source-file.ts';

/** Exact range of a column from the footer's statistics; null where it has none. @throws EtlError */
export async function columnRange(
  file: SourceFile,
  description: ParquetDescription,
  column: string,
): Promise<KeyRange | null> {
  const parquet = await import('./parquet/column-range.ts');
  return parquet.columnRange(file, description, column);
}
