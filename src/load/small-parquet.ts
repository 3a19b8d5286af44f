import { LIMITS } from '../limits.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { readParquet } from '../source/parquet/read-parquet.ts';
import type { ParquetDescription } from '../source/source-file.ts';
import { readWhole } from '../source/whole-file.ts';
import { parquetCopySql, parquetEncoder } from './copy-parquet.ts';
import type { CopyTarget } from './copy-target.ts';

/** A Parquet file as rows of a binary COPY, which may hold those of others, too. */
export interface SmallParquet {
  readonly sql: string;
  readonly pieces: readonly Buffer[];
  readonly rows: number;
  readonly contentHash: string;
  /** What the bytes of the COPY begin and end with. */
  readonly ends: { readonly header: Buffer; readonly trailer: Buffer };
}

/**
 * The rows of a small Parquet file, numbered from `firstRow` on where they are numbered. Null where it
 * is not small, or there is something wrong with it: alone it tells what.
 */
export async function readSmallParquet(
  file: FilePlan,
  description: ParquetDescription,
  target: CopyTarget,
  firstRow: number,
): Promise<SmallParquet | null> {
  if (target.layout.asText === true) return null;
  const whole = await readWhole(file);
  if (whole === null) return null;
  const { encoder, names } = parquetEncoder(file, description, target);
  const pieces: Buffer[] = [];
  let rows = 0;
  let bytes = 0;
  try {
    const { content } = whole;
    for await (const batch of readParquet(file, description, { columns: names, content })) {
      const piece = encoder.encode(batch, firstRow + rows);
      rows += batch.rows;
      bytes += piece.length;
      if (bytes > LIMITS.wholeContentBytesMax) return null;
      pieces.push(piece);
    }
  } catch {
    return null;
  }
  const ends = { header: encoder.header(), trailer: encoder.trailer() };
  return {
    sql: parquetCopySql(target, description),
    pieces,
    rows,
    contentHash: whole.contentHash,
    ends,
  };
}
