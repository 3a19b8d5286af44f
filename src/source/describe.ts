import type { CsvOptions } from '../job/schema.ts';
import { describeCsv } from './csv/describe-csv.ts';
import { describeParquet } from './parquet/describe-parquet.ts';
import type { FileDescription, SourceFile } from './source-file.ts';

/** Opens a file and tells its columns: one door for all formats. @throws EtlError */
export function describeFile(file: SourceFile, csvOptions: CsvOptions): Promise<FileDescription> {
  switch (file.format) {
    case 'csv':
    case 'tsv':
      return describeCsv(file, csvOptions);
    case 'parquet':
      return describeParquet(file);
  }
}
