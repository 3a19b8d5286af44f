import { present } from '../../assert.ts';
import { openJson, type JsonPiece } from '../../source/json/json-stream.ts';
import type { JsonDescription } from '../../source/source-file.ts';
import { textCopySql } from '../../target/copy-sql.ts';
import { copyContextOf } from '../copy-error.ts';
import { numberedCopy, type CopyNumbered } from './sift-csv.ts';
import {
  reject,
  siftBatch,
  type Sift,
  type SiftedBatch,
  type SiftedRows,
  type SiftReading,
} from './sift-records.ts';
import type { CopyTarget } from '../copy-target.ts';

/**
 * Stages a JSON file without the records that the database refuses, that hold what no text of it can,
 * or that are no JSON: see broken-record.ts for where the next one begins then.
 */
export async function siftJson(
  sift: Sift,
  description: JsonDescription,
  target: CopyTarget,
  reading: Pick<SiftReading, 'signal' | 'onProgress'>,
): Promise<SiftedRows> {
  const { sqlName, layout, where } = target;
  const { signal, onProgress } = reading;
  const fields = present(layout.json, 'the layout of a JSON file');
  const stream = openJson(sift.file, description, fields, { signal, onProgress, goOn: true });
  const copy = numberedCopy(sift, target, textCopySql(sqlName, layout.copyColumns, where));
  await siftPieces(sift, stream.pieces, copy);
  const { records, contentHash } = stream.totals();
  return { rows: records, contentHash };
}

/** Rows that are lines of COPY's text format, and between them records that are bad before they are sent. */
export async function siftPieces(
  sift: Sift,
  pieces: AsyncIterable<JsonPiece>,
  copy: CopyNumbered,
): Promise<void> {
  for await (const piece of pieces) {
    if (piece.kind === 'rows') {
      await siftBatch(sift, linesBatch(piece, copy));
    } else {
      const { record, column, reason } = piece;
      await reject(sift, { file: sift.file.ordinal, record, column, sqlState: null, reason });
    }
  }
}

function linesBatch(
  { bytes, first, count }: Omit<Extract<JsonPiece, { kind: 'rows' }>, 'kind'>,
  copy: CopyNumbered,
): SiftedBatch {
  const starts = [0];
  for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, end + 1)) {
    starts.push(end + 1);
  }
  return {
    first,
    count,
    copy: (from, to) => copy(bytes.subarray(starts[from], starts[to]), first + from, to - from),
    indexOf: (error, from, to) => {
      const context = copyContextOf(error);
      const index = context === null ? -1 : from + context.record - 1;
      return index >= from && index < to ? index : null;
    },
  };
}

const LF = 10;
