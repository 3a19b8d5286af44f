import { assert } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import type { ColumnBatch } from '../../source/parquet/column-batch.ts';
import { valueAt } from '../../source/parquet/column-batch.ts';
import { hexText } from '../../source/parquet/scalar-text.ts';
import { valueText } from '../../source/parquet/value-text.ts';
import type { ParquetType } from '../../source/source-file.ts';
import { columnConverter } from './convert-column.ts';
import type { ColumnConverter } from './convert-column.ts';
import { FieldFault } from './field-fault.ts';
import { FRESH_OUTPUTS, reusedOutputs } from './copy-outputs.ts';
import { fixedBytes, measureColumn, writeColumn } from './field-values.ts';
import type { FieldColumn } from './field-values.ts';
import type { StageColumn } from './stage-column.ts';

export interface EncodedColumn {
  /** As the file calls it, for messages. */
  readonly name: string;
  readonly type: ParquetType;
  readonly stage: StageColumn;
}

export interface BinaryCopyEncoder {
  /** Comes first, once. */
  header(): Buffer;
  /**
   * The rows of a batch whose vectors are in the order of the columns; `firstOrdinal` is the
   * ordinal of its first row.
   *
   * @throws EtlError ETL_ROW_INVALID where a value does not fit its type; `facts.line` is the row's
   *   number in the file. The encoder can go on with other rows (`sliceBatch`).
   *
   * With `reuse` what it returns is good until the call after the next.
   */
  encode(batch: ColumnBatch, firstOrdinal: number | bigint): Buffer;
  /** Comes last, once. */
  trailer(): Buffer;
  /** With `reuse`: the server has taken all; another encoder may write where this one has written. */
  release(): void;
}

/**
 * Encodes decoded Parquet rows as PostgreSQL's binary COPY. With `ordinal`, the first field of
 * every row is a bigint that counts the rows.
 *
 * Column by column: fields are converted, their sizes added up per row, and then written, each
 * column in one loop that moves every row's own position. Row by row, with a choice by type at
 * every field, runs at less than a tenth of that (FIELDS per row through megamorphic calls).
 */
export function createBinaryCopyEncoder(
  columns: readonly EncodedColumn[],
  options: { readonly ordinal: boolean; readonly file?: string; readonly reuse?: boolean },
): BinaryCopyEncoder {
  const converters = columns.map(({ type, stage }) => columnConverter(type, stage));
  const fieldCount = columns.length + (options.ordinal ? 1 : 0);
  const { next: output, release } = options.reuse === true ? reusedOutputs() : FRESH_OUTPUTS;
  let positions = new Uint32Array(0);

  return {
    header: () => Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'),
    trailer: () => Buffer.from([0xff, 0xff]),
    release,
    encode(batch, firstOrdinal) {
      assert(batch.columns.length === columns.length, 'the batch has the columns of the encoder');
      if (positions.length < batch.rows) positions = new Uint32Array(batch.rows);
      const ordinal = Number(firstOrdinal);
      assert(Number.isSafeInteger(ordinal), 'ordinals stay within 2^53');
      const converted = convertAll(columns, converters, batch, options.file);
      const { rows } = batch;
      measureRows(converted, rows, positions, options.ordinal ? 14 : 2);
      const bytes = startsOfRows(positions, rows);
      const out = output(bytes);
      const view = new DataView(out.buffer, out.byteOffset, bytes);
      beginRows(view, positions, rows, fieldCount, options.ordinal ? ordinal : null);
      for (const column of converted) writeColumn(column, rows, view, positions);
      assert((positions[rows - 1] ?? bytes) === bytes, 'the rows have the size that was measured');
      return out;
    },
  };
}

function convertAll(
  columns: readonly EncodedColumn[],
  converters: readonly ColumnConverter[],
  batch: ColumnBatch,
  file: string | undefined,
): FieldColumn[] {
  const converted: FieldColumn[] = [];
  let fault: { column: number; fault: FieldFault } | null = null;
  for (const [index, converter] of converters.entries()) {
    const vector = batch.columns[index];
    assert(vector !== undefined, 'every column has its vector');
    try {
      converted.push(converter(vector, batch.rows));
    } catch (error) {
      if (!(error instanceof FieldFault)) throw error;
      // The first row at fault is reported, whichever column it is in.
      if (fault === null || error.index < fault.fault.index)
        fault = { column: index, fault: error };
    }
  }
  if (fault !== null) throw rowError(columns, batch, fault.column, fault.fault, file);
  return converted;
}

/** Bytes of a value that a message shows. */
const SHOWN_MAX = 200;

function rowError(
  columns: readonly EncodedColumn[],
  batch: ColumnBatch,
  index: number,
  fault: FieldFault,
  file: string | undefined,
): EtlError {
  const column = columns[index];
  const vector = batch.columns[index];
  assert(column !== undefined && vector !== undefined, 'the column at fault is there');
  const shown = shownValue(column.type, valueAt(vector, fault.index));
  return new EtlError(
    'ETL_ROW_INVALID',
    `"${shown}" ${fault.message}.`,
    'Correct the value, or give the column of the table a type that can hold it.',
    {
      ...(file === undefined ? {} : { file }),
      line: batch.firstRow + fault.index,
      column: column.name,
      value: shown,
    },
  );
}

function shownValue(type: ParquetType, value: ReturnType<typeof valueAt>): string {
  let text: string;
  try {
    text = valueText(type, value) ?? 'NULL';
  } catch {
    text = value instanceof Uint8Array ? hexText(value) : '(not readable)';
  }
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** The sizes of the rows; most columns add as much to every one. */
function measureRows(
  columns: readonly FieldColumn[],
  rows: number,
  sizes: Uint32Array,
  beginBytes: number,
): void {
  const bytes = columns.reduce((sum, column) => sum + (fixedBytes(column) ?? 0), beginBytes);
  sizes.fill(bytes, 0, rows);
  for (const column of columns) {
    if (fixedBytes(column) === null) measureColumn(column, rows, sizes);
  }
}

/** Turns the sizes of the rows into their beginnings; returns the bytes of all. */
function startsOfRows(sizes: Uint32Array, rows: number): number {
  let position = 0;
  for (let row = 0; row < rows; row++) {
    const size = sizes[row] ?? 0;
    sizes[row] = position;
    position += size;
  }
  return position;
}

/** The number of fields, and the ordinal. */
function beginRows(
  out: DataView,
  positions: Uint32Array,
  rows: number,
  fieldCount: number,
  firstOrdinal: number | null,
): void {
  for (let row = 0; row < rows; row++) {
    const position = positions[row] ?? 0;
    out.setInt16(position, fieldCount);
    if (firstOrdinal !== null) {
      out.setInt32(position + 2, 8);
      const ordinal = firstOrdinal + row;
      out.setInt32(position + 6, Math.floor(ordinal / 2 ** 32));
      out.setInt32(position + 10, ordinal | 0);
    }
    positions[row] = position + (firstOrdinal === null ? 2 : 14);
  }
}
