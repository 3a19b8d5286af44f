import { assert, present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { hashFile } from '../source/content-hash.ts';
import { readParquet, rowsBefore } from '../source/parquet/read-parquet.ts';
import type { ParquetDescription } from '../source/source-file.ts';
import {
  createBinaryCopyEncoder,
  type BinaryCopyEncoder,
} from '../target/binary/binary-copy-encoder.ts';
import { LARGE_ROW_BYTES } from '../target/compressions.ts';
import type { Connection } from '../target/connect.ts';
import { binaryCopySql, singlyCopySql } from '../target/copy-sql.ts';
import { copiedColumns, refuseOutside, type CopyTarget } from './copy-target.ts';
import { fileProgress } from './file-progress.ts';
import type { Copied, StageOptions } from './stage-options.ts';
import type { UnitHooks, UnitPart } from './unit-task.ts';

/** Copies the rows of a Parquet file, or of some of its row groups, by a binary COPY. */
export async function copyParquet(
  connection: Connection,
  file: FilePlan,
  description: ParquetDescription,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const rowGroups = rowGroupsOf(description, options.part);
  // Of the parts of a file the first reads all of it for the hash.
  const hash = rowGroups.from === 0 ? hashFile(file.path, options.signal) : Promise.resolve(null);
  // A failed COPY must not leave the rejection of the hash unheard.
  hash.catch(() => undefined);
  const counter = { rows: 0 };
  const chunks = encodeParquet(file, description, target, { ...options, rowGroups }, counter);
  const copied = await connection.copyIn(parquetCopySql(target, description), chunks, {
    ahead: true,
  });
  refuseOutside(file, target, counter.rows - copied);
  assert(copied === counter.rows, `COPY took ${copied} of ${counter.rows} rows of ${file.name}`);
  const rows = rowsBefore(description, rowGroups.to) - rowsBefore(description, rowGroups.from);
  assert(copied === rows, `${file.name} has the rows that its footer says`);
  return { rows: copied, staged: copied, contentHash: await hash };
}

export interface RowGroups {
  readonly from: number;
  readonly to: number;
}

export function rowGroupsOf(
  { rowGroups }: ParquetDescription,
  part: UnitPart | undefined,
): RowGroups {
  return part?.kind === 'row-groups' ? part : { from: 0, to: rowGroups.length };
}

async function* encodeParquet(
  file: FilePlan,
  description: ParquetDescription,
  target: CopyTarget,
  options: UnitHooks & { readonly rowGroups: RowGroups },
  counter: { rows: number },
): AsyncIterable<Buffer> {
  const { encoder, names } = parquetEncoder(file, description, target, true);
  const progress = fileProgress(file.ordinal, options);
  yield encoder.header();
  for await (const batch of readParquet(file, description, {
    columns: names,
    rowGroups: options.rowGroups,
    reuse: true,
    signal: options.signal,
  })) {
    yield encoder.encode(batch, batch.firstRow);
    counter.rows += batch.rows;
    progress(counter.rows, Math.round((file.bytes * counter.rows) / Math.max(1, description.rows)));
  }
  yield encoder.trailer();
}

/** With `reuse` what it encodes is good until the batch after the next. */
export function parquetEncoder(
  file: FilePlan,
  description: ParquetDescription,
  target: CopyTarget,
  reuse = false,
): { readonly encoder: BinaryCopyEncoder; readonly names: readonly string[] } {
  const columns = present(target.layout.parquet, 'the layout of a Parquet file');
  const types = new Map(description.columns.map((column) => [column.name, column.type]));
  const encoder = createBinaryCopyEncoder(
    columns.map(({ name, stage }) => ({ name, stage, type: present(types.get(name), name) })),
    { ordinal: target.ordinal, file: file.name, reuse },
  );
  return { encoder, names: columns.map((column) => column.name) };
}

export function parquetCopySql(
  target: CopyTarget,
  { rowGroups }: Pick<ParquetDescription, 'rowGroups'>,
): string {
  const rows = rowGroups.reduce((sum, group) => sum + group.rows, 0);
  const bytes = rowGroups.reduce((sum, group) => sum + group.uncompressedBytes, 0);
  const sql = bytes > LARGE_ROW_BYTES * rows ? singlyCopySql : binaryCopySql;
  return sql(target.sqlName, copiedColumns(target), target.where);
}
