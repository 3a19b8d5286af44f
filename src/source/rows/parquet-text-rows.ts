import { present } from '../../assert.ts';
import { hashFile } from '../content-hash.ts';
import type { JsonForm } from '../json/copy-rows.ts';
import { valueAt, type ColumnBatch } from '../parquet/column-batch.ts';
import { readParquet } from '../parquet/read-parquet.ts';
import { arrayText, valueText } from '../parquet/value-text.ts';
import { ValueFault } from '../parquet/value-fault.ts';
import type { ParquetColumn, ParquetDescription, SourceFile } from '../source-file.ts';
import type { TextPiece, TextRow, TextRows, TextRowsOptions } from './text-row.ts';

/** A Parquet file, or some row groups of it, row by row: values as its CSV twin would spell them. */
export function openParquetTextRows(
  file: SourceFile,
  description: ParquetDescription,
  { part, forms, rowsMax, signal }: TextRowsOptions,
): TextRows {
  const rowGroups =
    part?.kind === 'row-groups' ? part : { from: 0, to: description.rowGroups.length };
  const columns = description.columns.map((column) => column.name);
  // Of the parts of a file the first reads all of it for the hash.
  const hash = rowGroups.from === 0 ? hashFile(file.path, signal) : Promise.resolve(null);
  // A row that fails must not leave the rejection of the hash unheard.
  hash.catch(() => undefined);
  let bytes = 0;
  const onProgress = (_rows: number, diskBytes: number): void => {
    bytes = diskBytes;
  };
  async function* pieces(): AsyncGenerator<TextPiece> {
    const options = { columns, rowGroups, signal, onProgress };
    for await (const batch of readParquet(file, description, options)) {
      for (let from = 0; from < batch.rows; from += rowsMax) {
        const to = Math.min(batch.rows, from + rowsMax);
        yield* piecesOf(batch, { from, to }, description.columns, forms);
      }
    }
  }
  return { pieces: pieces(), bytesRead: () => bytes, contentHash: () => hash };
}

function* piecesOf(
  batch: ColumnBatch,
  { from, to }: { readonly from: number; readonly to: number },
  columns: readonly ParquetColumn[],
  forms: readonly JsonForm[],
): Generator<TextPiece> {
  let rows: TextRow[] = [];
  let first = batch.firstRow + from;
  for (let row = from; row < to; row++) {
    const read = rowOf(batch, row, columns, forms);
    if (!('fault' in read)) {
      rows.push(read.row);
      continue;
    }
    if (rows.length > 0) yield { kind: 'rows', first, rows };
    const record = batch.firstRow + row;
    const reason = `The value ${read.fault.message}.`;
    yield { kind: 'bad', record, column: read.column, reason };
    rows = [];
    first = record + 1;
  }
  if (rows.length > 0) yield { kind: 'rows', first, rows };
}

function rowOf(
  batch: ColumnBatch,
  row: number,
  columns: readonly ParquetColumn[],
  forms: readonly JsonForm[],
): { readonly row: TextRow } | { readonly column: string; readonly fault: ValueFault } {
  const values: (string | null)[] = [];
  for (const [index, vector] of batch.columns.entries()) {
    const { name, type } = present(columns[index], 'the column of a vector');
    const value = valueAt(vector, row);
    const isArray = forms[index] === 'array' || forms[index] === 'json-array';
    try {
      values.push(
        type.kind === 'list' && isArray && value !== null
          ? arrayText(type.element, value)
          : valueText(type, value),
      );
    } catch (error) {
      if (error instanceof ValueFault) return { column: name, fault: error };
      throw error;
    }
  }
  return { row: values };
}
