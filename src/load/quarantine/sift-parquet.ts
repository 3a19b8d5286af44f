import { hashFile } from '../../source/content-hash.ts';
import { sliceBatch, type ColumnBatch } from '../../source/parquet/column-batch.ts';
import { readParquet } from '../../source/parquet/read-parquet.ts';
import type { ParquetDescription } from '../../source/source-file.ts';
import type { BinaryCopyEncoder } from '../../target/binary/binary-copy-encoder.ts';
import { copyContextOf } from '../copy-error.ts';
import {
  siftBatch,
  type Sift,
  type SiftedBatch,
  type SiftedRows,
  type SiftReading,
} from './sift-records.ts';
import { parquetCopySql, parquetEncoder, rowGroupsOf } from '../copy-parquet.ts';
import type { CopyTarget } from '../copy-target.ts';

/** Stages a Parquet file, or some row groups of it, without its bad rows. */
export async function siftParquet(
  sift: Sift,
  description: ParquetDescription,
  target: CopyTarget,
  options: SiftReading,
): Promise<SiftedRows> {
  const { file } = sift;
  const { signal, part } = options;
  const rowGroups = rowGroupsOf(description, part);
  const { encoder, names } = parquetEncoder(file, description, target);
  const sql = parquetCopySql(target, description);
  let rows = 0;
  for await (const batch of readParquet(file, description, { columns: names, rowGroups, signal })) {
    await siftBatch(sift, parquetBatch(sift, batch, encoder, sql));
    rows += batch.rows;
    options.onProgress(rows, Math.round((file.bytes * rows) / Math.max(1, description.rows)));
  }
  // Of the parts of a file the first tells the hash of all of it.
  return { rows, contentHash: rowGroups.from === 0 ? await hashFile(file.path, signal) : null };
}

function parquetBatch(
  { connection }: Sift,
  batch: ColumnBatch,
  encoder: BinaryCopyEncoder,
  sql: string,
): SiftedBatch {
  return {
    first: batch.firstRow,
    count: batch.rows,
    copy: async (from, to) => {
      const slice = sliceBatch(batch, from, to);
      const rows = encoder.encode(slice, slice.firstRow);
      return connection.copyIn(sql, [encoder.header(), rows, encoder.trailer()]);
    },
    indexOf: (error, from, to) => {
      const context = copyContextOf(error);
      // What the encoder refuses has its row in the file; what the server does, its row of this COPY.
      const { line } = error.record.facts;
      const index = context === null ? (line ?? 0) - batch.firstRow : from + context.record - 1;
      return index >= from && index < to ? index : null;
    },
  };
}
