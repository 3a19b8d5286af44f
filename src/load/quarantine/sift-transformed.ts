import type { TransformedDescription } from '../../source/source-file.ts';
import type { CopyTarget } from '../copy-target.ts';
import {
  openForTarget,
  transformedCopySql,
  type CopyTransformedOptions,
} from '../transform/copy-transformed.ts';
import { siftPieces } from './sift-json.ts';
import type { Sift, SiftedRows } from './sift-records.ts';

/**
 * Stages the rows that a transform makes of a file, without the bad ones. It is not tried as a whole
 * before, as other files are: a row that the transform rejects is nothing unusual, and each row is to
 * go through a model once.
 */
export async function siftTransformed(
  sift: Sift,
  description: TransformedDescription,
  target: CopyTarget,
  reading: CopyTransformedOptions,
): Promise<SiftedRows> {
  const { connection, file } = sift;
  const stream = await openForTarget(file, description, target, { ...reading, goOn: true });
  const sql = transformedCopySql(target);
  const copy = (bytes: Buffer): Promise<number> => connection.copyIn(sql, [bytes]);
  await siftPieces(sift, stream.pieces, copy);
  return stream.totals();
}
