import { assert } from '../assert.ts';
import { LIMITS } from '../limits.ts';
import { sampleCsv } from './csv/sample-csv.ts';
import { sampleParquet } from './parquet/sample-parquet.ts';
import type { FileDescription, FileSample, SourceFile } from './source-file.ts';

export interface SampleRequest {
  readonly rowsMax: number;
  /** The same seed and file give the same sample. */
  readonly seed: number;
  /** Columns wanted, in the order wanted; all of the file by default. */
  readonly columns?: readonly string[];
}

/** Some rows of a file as PostgreSQL would read them: one door for all formats. @throws EtlError */
export async function sampleFile(
  file: SourceFile,
  description: FileDescription,
  { rowsMax, seed, columns }: SampleRequest,
): Promise<FileSample> {
  if (description.kind === 'parquet') {
    const wanted = columns ?? description.columns.map((column) => column.name);
    return sampleParquet(file, description, { rowsMax, columns: wanted, seed });
  }
  const bytesMax = LIMITS.sampleBytesPerFileMax;
  const sample = await sampleCsv(file, description, { rowsMax, bytesMax, seed });
  return columns === undefined ? sample : onlyColumns(sample, columns);
}

function onlyColumns(sample: FileSample, columns: readonly string[]): FileSample {
  const indexes = columns.map((column) => sample.columns.indexOf(column));
  assert(!indexes.includes(-1), 'the columns of a sample are columns of the file');
  const rows = sample.rows.map((row) => indexes.map((index) => row[index] ?? null));
  return { ...sample, columns, rows };
}
