import { assert } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import type { ColumnBatch } from '../../source/parquet/column-batch.ts';
import { valueAt } from '../../source/parquet/column-batch.ts';
import { hexText } from '../../source/parquet/scalar-text.ts';
import { valueText } from '../../source/parquet/value-text.ts';
import type { ParquetType } from '../../source/source-file.ts';
import { writeByColumn } from './column-writer.ts';
import { columnConverter } from './convert-column.ts';
import type { ColumnConverter } from './convert-column.ts';
import { FieldFault } from './field-fault.ts';
import { FRESH_OUTPUTS, reusedOutputs } from './copy-outputs.ts';
import { rowsBytes } from './field-values.ts';
import type { FieldColumn } from './field-values.ts';
import { rowWriter } from './row-writer.ts';
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
 * Fields are converted column by column, their sizes added up, and then written row by row; see row-writer.ts.
 */
export function createBinaryCopyEncoder(
  columns: readonly EncodedColumn[],
  options: { readonly ordinal: boolean; readonly file?: string; readonly reuse?: boolean },
): BinaryCopyEncoder {
  const converters = columns.map(({ type, stage }) => columnConverter(type, stage));
  const { next: output, release } = options.reuse === true ? reusedOutputs() : FRESH_OUTPUTS;

  return {
    header: () => Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'),
    trailer: () => Buffer.from([0xff, 0xff]),
    release,
    encode(batch, firstOrdinal) {
      assert(batch.columns.length === columns.length, 'the batch has the columns of the encoder');
      const ordinal = Number(firstOrdinal);
      assert(Number.isSafeInteger(ordinal), 'ordinals stay within 2^53');
      const converted = convertAll(columns, converters, batch, options.file);
      const { rows } = batch;
      const bytes = rowsBytes(converted, rows, options.ordinal ? 14 : 2);
      const out = output(bytes);
      const view = new DataView(out.buffer, out.byteOffset, bytes);
      const write = rowWriter(converted, options.ordinal);
      const end =
        write === null
          ? writeByColumn(converted, rows, view, options.ordinal ? ordinal : null)
          : write(converted, rows, view, out, ordinal);
      assert(end === bytes, 'the rows have the size that was measured');
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
