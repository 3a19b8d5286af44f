import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { refuseBomb } from '../expansion.ts';
import type { ParquetDescription, SourceFile } from '../source-file.ts';
import type { ReadMeter } from './chunk-bytes.ts';
import type { ColumnBatch } from './column-batch.ts';
import type { ColumnReader } from './column-reader.ts';
import { descriptionOf } from './describe-parquet.ts';
import { openColumn } from './open-column.ts';
import { openParquet, openParquetBytes } from './open-parquet.ts';
import type { OpenParquet } from './open-parquet.ts';
import { FRESH_MEMORY, reusedMemory } from './page-memory.ts';
import type { PageMemory } from './page-memory.ts';
import { parquetError } from './parquet-fault.ts';
import type { SchemaNode } from './parquet-schema.ts';
import { readTogether } from './row-group-bytes.ts';
import { rowsBefore } from './row-groups.ts';

export interface ReadParquetOptions {
  /** Names of top-level columns; the vectors of a batch come in this order. */
  readonly columns: readonly string[];
  /** Row groups `[from, to)`, counted from 0; all by default. */
  readonly rowGroups?: { readonly from: number; readonly to: number };
  /** Whoever reads is done with a batch before asking for the next: its memory is used again. */
  readonly reuse?: boolean;
  /** All bytes of the file, where somebody has read them already. */
  readonly content?: Buffer;
  readonly signal?: AbortSignal;
  /** After each batch: rows given out and bytes read from disk so far. */
  readonly onProgress?: (rows: number, diskBytes: number) => void;
}

/**
 * The rows of a Parquet file, in order, as aligned batches of physical values: no conversion, so
 * nothing is lost. Pages are decoded one at a time per column, and what all columns hold at once
 * is bounded by `LIMITS.parquetRowGroupBytesMax`.
 *
 * @throws EtlError while iterating: as openParquet, and ETL_FILE_CHANGED, ETL_COLUMN_MISSING,
 *   ETL_PARQUET_CORRUPT (with the column and the row group), ETL_PARQUET_UNSUPPORTED, ETL_LIMIT,
 *   ETL_ABORTED
 */
export async function* readBatches(
  file: SourceFile,
  description: ParquetDescription,
  options: ReadParquetOptions,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { content } = options;
  const parquet = await (content === undefined
    ? openParquet(file)
    : openParquetBytes(file, content));
  try {
    checkUnchanged(parquet, description);
    const nodes = nodesOf(parquet, options.columns);
    yield* readOpenParquet(parquet, description, nodes, options);
  } finally {
    await parquet.close();
  }
}

/** As readBatches, of a file that is open and stays so. */
export async function* readOpenParquet(
  parquet: OpenParquet,
  description: ParquetDescription,
  nodes: readonly SchemaNode[],
  { rowGroups, reuse = false, signal, onProgress }: Omit<ReadParquetOptions, 'columns'>,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { from, to } = rowGroups ?? { from: 0, to: description.rowGroups.length };
  const meter: ReadMeter = { heldBytes: 0, diskBytes: 0, decodedBytes: 0 };
  const memoryMax = LIMITS.parquetReusedBytesMax / Math.max(1, nodes.length);
  const columns = nodes.map((node) => ({
    node,
    memory: reuse ? reusedMemory(memoryMax) : FRESH_MEMORY,
  }));
  const memory = reuse ? reusedMemory(2 * LIMITS.readChunkBytes) : FRESH_MEMORY;
  let firstRow = 1 + rowsBefore(description, from);
  let rows = 0;
  for (let rowGroup = from; rowGroup < to; rowGroup++) {
    const group = await readTogether(parquet, nodes, rowGroup, memory);
    for await (const batch of readRowGroup(group, columns, rowGroup, firstRow, meter)) {
      if (signal?.aborted === true) throw abortedError(parquet.file, signal);
      yield batch;
      rows += batch.rows;
      onProgress?.(rows, meter.diskBytes);
    }
    firstRow += description.rowGroups[rowGroup]?.rows ?? 0;
  }
}

/** The columns of the names, in their order. */
export function nodesOf({ file, columns }: OpenParquet, names: readonly string[]): SchemaNode[] {
  return names.map((name) => {
    const node = columns.find((column) => column.name === name);
    if (node !== undefined) return node;
    throw new EtlError('ETL_COLUMN_MISSING', 'The file has no such column.', 'Check the mapping.', {
      file: file.name,
      column: name,
    });
  });
}

interface ReadColumn {
  readonly node: SchemaNode;
  readonly memory: PageMemory;
}

async function* readRowGroup(
  parquet: OpenParquet,
  columns: readonly ReadColumn[],
  rowGroup: number,
  firstRow: number,
  meter: ReadMeter,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const rows = Number(present(parquet.footer.row_groups[rowGroup], 'the row group').num_rows);
  const readers: ColumnReader[] = [];
  const readBytes = windowBytes(columns.length);
  for (const { node, memory } of columns) {
    const place = { rowGroup, column: node.name, readBytes, meter, memory };
    readers.push(await openColumn(parquet, node, place));
  }
  const fewer = (reader: ColumnReader): EtlError =>
    miscounted(parquet, columns, readers.indexOf(reader), rowGroup, `fewer than ${rows}`);
  for (let done = 0; done < rows;) {
    let count = Math.min(rows - done, batchRowsMax(columns.length));
    for (const reader of readers) {
      const held = await reader.fill();
      if (held === 0) throw fewer(reader);
      count = Math.min(count, held);
    }
    const batch = batchWithin(readers, count);
    count = batch.rows;
    meter.decodedBytes += batch.bytes;
    refuseGrowth(parquet.file, meter);
    const vectors = readers.map((reader) => reader.take(count));
    yield { rows: count, firstRow: firstRow + done, columns: vectors };
    done += count;
  }
  for (const [index, reader] of readers.entries()) {
    const more = await reader.fill();
    if (more > 0) throw miscounted(parquet, columns, index, rowGroup, `more than ${rows}`);
  }
}

function miscounted(
  parquet: OpenParquet,
  columns: readonly ReadColumn[],
  index: number,
  rowGroup: number,
  count: string,
): EtlError {
  const column = columns[index]?.node.name ?? '';
  return parquetError(`it has ${count} rows`, { file: parquet.file.name, column, rowGroup });
}

/** Many columns share what would otherwise be a megabyte for each. */
function windowBytes(columns: number): number {
  const share = Math.floor((32 * 1024 * 1024) / Math.max(1, columns));
  return Math.max(64 * 1024, Math.min(LIMITS.readChunkBytes, share));
}

function batchRowsMax(columns: number): number {
  const rows = Math.floor(LIMITS.parquetBatchFieldsMax / Math.max(1, columns));
  return Math.max(1, Math.min(LIMITS.parquetBatchRowsMax, rows));
}

/** Halves the batch until its bytes are within the limit; one row is always given out. */
function batchWithin(
  readers: readonly ColumnReader[],
  most: number,
): { readonly rows: number; readonly bytes: number } {
  for (let rows = most; ; rows = Math.ceil(rows / 2)) {
    let bytes = 0;
    for (const reader of readers) bytes += reader.bytesOf(rows);
    if (rows === 1 || bytes <= LIMITS.parquetBatchBytesMax) return { rows, bytes };
  }
}

/** A few bytes of indexes may repeat one long value of a dictionary without end. */
function refuseGrowth(file: SourceFile, meter: ReadMeter): void {
  const bytesMin = LIMITS.expansionParquetBytesMin;
  refuseBomb(file, { encoded: meter.diskBytes, decoded: meter.decodedBytes, bytesMin });
}

function checkUnchanged(parquet: OpenParquet, description: ParquetDescription): void {
  const now = JSON.stringify(descriptionOf(parquet));
  if (now === JSON.stringify(description)) return;
  throw new EtlError(
    'ETL_FILE_CHANGED',
    'The file is not the one that was planned: its footer differs.',
    'Plan again once nothing writes to the file any more.',
    { file: parquet.file.name },
  );
}

function abortedError(file: SourceFile, signal: AbortSignal): EtlError {
  if (signal.reason instanceof EtlError) return signal.reason;
  return new EtlError('ETL_ABORTED', 'Reading was interrupted.', 'Run again to load the rest.', {
    file: file.name,
  });
}
