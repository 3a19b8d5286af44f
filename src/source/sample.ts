import { assert } from '../assert.ts';
import { LIMITS } from '../limits.ts';
import { sampleCsv } from './csv/sample-csv.ts';
import type { FileDescription, FileSample, SourceFile } from './source-file.ts';
import { inputOf } from './transform/input-of.ts';

export interface SampleRequest {
  readonly rowsMax: number;
  /** The same seed and file give the same sample. */
  readonly seed: number;
  /** Columns wanted, in the order wanted, each once; all of the file by default. */
  readonly columns?: readonly string[];
}

/**
 * Some rows of a file as PostgreSQL would read them: one door for all formats. What a transform would
 * make of them is not asked. @throws EtlError
 */
export async function sampleFile(
  file: SourceFile,
  transformed: FileDescription,
  { rowsMax, seed, columns }: SampleRequest,
): Promise<FileSample> {
  const description = inputOf(transformed);
  if (description.kind === 'parquet') {
    const wanted = columns ?? description.columns.map((column) => column.name);
    const { sampleParquet } = await import('./parquet/sample-parquet.ts');
    return sampleParquet(file, description, { rowsMax, columns: wanted, seed });
  }
  const bytesMax = LIMITS.sampleBytesPerFileMax;
  if (description.kind === 'json') {
    const wanted = columns ?? description.columns.map((column) => column.name);
    const { sampleJson } = await import('./json/sample-json.ts');
    return sampleJson(file, description, { rowsMax, bytesMax, seed, columns: wanted });
  }
  assert(description.kind === 'csv', 'documents are not opened for a sample');
  const options = { rowsMax, bytesMax, seed };
  return sampleCsv(file, description, columns === undefined ? options : { ...options, columns });
}
