import type { ParquetDescription, SourceFile } from '../source-file.ts';
import type { ColumnBatch } from './column-batch.ts';
import type { ReadParquetOptions } from './read-batches.ts';

export { rowsBefore } from './row-groups.ts';
export type { ReadParquetOptions } from './read-batches.ts';

/**
 * The rows of a Parquet file, see readBatches. Who loads a file has this imported whatever its format,
 * so the decoder behind it is imported with the first Parquet file: 45 ms of CPU, of each thread.
 */
export async function* readParquet(
  file: SourceFile,
  description: ParquetDescription,
  options: ReadParquetOptions,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { readBatches } = await import('./read-batches.ts');
  yield* readBatches(file, description, options);
}
