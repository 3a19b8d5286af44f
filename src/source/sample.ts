import { LIMITS } from '../limits.ts';
import { sampleCsv } from './csv/sample-csv.ts';
import type { FileDescription, FileSample, SourceFile } from './source-file.ts';

export interface SampleRequest {
  readonly rowsMax: number;
  /** The same seed and file give the same sample. */
  readonly seed: number;
  /** Columns wanted, in the order wanted, each once; all of the file by default. */
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
    const { sampleParquet } = await import('./parquet/sample-parquet.ts');
    return sampleParquet(file, description, { rowsMax, columns: wanted, seed });
  }
  const bytesMax = LIMITS.sampleBytesPerFileMax;
  if (description.kind === 'json') {
    const wanted = columns ?? description.columns.map((column) => column.name);
    const { sampleJson } = await import('./json/sample-json.ts');
    return sampleJson(file, description, { rowsMax, bytesMax, seed, columns: wanted });
  }
  const options = { rowsMax, bytesMax, seed };
  return sampleCsv(file, description, columns === undefined ? options : { ...options, columns });
}
