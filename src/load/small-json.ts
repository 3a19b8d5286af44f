import { present } from '../assert.ts';
import { LIMITS } from '../limits.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { openJson } from '../source/json/json-stream.ts';
import type { JsonDescription } from '../source/source-file.ts';
import { textCopySql } from '../target/copy-sql.ts';
import type { CopyTarget } from './copy-target.ts';

/** A JSON file as one COPY takes it, its records one after another. */
export interface SmallJson {
  readonly sql: string;
  readonly pieces: readonly Buffer[];
  readonly rows: number;
  readonly contentHash: string;
}

/**
 * The lines of a small JSON file, to be sent together with those of others. Null where it is not
 * small, or there is something wrong with it: alone it tells what.
 */
export async function readSmallJson(
  file: FilePlan,
  description: JsonDescription,
  { sqlName, layout, where }: CopyTarget,
): Promise<SmallJson | null> {
  // A value that cannot be cast is looked for file by file.
  if (layout.asText === true || file.bytes > LIMITS.wholeFileBytesMax) return null;
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    const stream = openJson(file, description, present(layout.json, 'a layout of JSON'));
    for await (const piece of stream.pieces) {
      if (piece.kind === 'bad') return null;
      bytes += piece.bytes.length;
      if (bytes > LIMITS.wholeContentBytesMax) return null;
      pieces.push(Buffer.from(piece.bytes));
    }
    const { records: rows, contentHash } = stream.totals();
    return { sql: textCopySql(sqlName, layout.copyColumns, where), pieces, rows, contentHash };
  } catch {
    return null;
  }
}
