import type { InputDescription, SourceFile } from '../source-file.ts';
import { openCsvTextRows } from './csv-text-rows.ts';
import { openJsonTextRows } from './json-text-rows.ts';
import { openParquetTextRows } from './parquet-text-rows.ts';
import type { TextRows, TextRowsOptions } from './text-row.ts';

/**
 * Opens a file for whoever needs its values: each row as its CSV twin would have it, and as COPY
 * would take it. What cannot be read as a row is told as such, and the rest goes on behind it.
 *
 * @throws EtlError (while iterating) where the rest of the file cannot be read
 */
export function openTextRows(
  file: SourceFile,
  description: InputDescription,
  options: TextRowsOptions,
): TextRows {
  switch (description.kind) {
    case 'csv':
      return openCsvTextRows(file, description, options);
    case 'parquet':
      return openParquetTextRows(file, description, options);
    case 'json':
      return openJsonTextRows(file, description, options);
  }
}
