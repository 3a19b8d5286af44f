import { openCsvBlocks } from '../../source/csv/csv-blocks.ts';
import type { CsvDescription } from '../../source/source-file.ts';
import type { CopyTarget } from '../copy-target.ts';
import { csvSql, numberedCopy, siftCut } from './sift-csv.ts';
import { tryCopy, type Sift, type SiftedRows, type SiftReading } from './sift-records.ts';

/** Copies a CSV file of the fast path block by block, and only a block that is refused record by record. */
export async function siftBlocks(
  sift: Sift,
  description: CsvDescription,
  target: CopyTarget,
  options: SiftReading,
): Promise<SiftedRows> {
  const part = options.part?.kind === 'bytes' ? options.part : null;
  const before = part === null ? 0 : part.firstRecord - 1;
  const source = openCsvBlocks(sift.file, description, part, options.signal);
  const sql = csvSql(description, target);
  const copy = numberedCopy(sift, target, sql);
  let rows = 0;
  for await (const { first, count, pieces, records } of source.blocks) {
    const whole = (): Promise<number> => sift.connection.copyIn(sql, pieces);
    const isTaken = count !== null && (await tryCopy(sift, count, whole)) === null;
    if (isTaken) {
      rows += count;
    } else {
      sift.size = sift.batchMax;
      rows += await siftCut(sift, records(), before + first - 1, copy, () => undefined);
    }
    options.onProgress(rows, source.bytesRead());
  }
  return { rows, contentHash: source.contentHash() };
}
