import { decompressed } from '../compression.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { errorOfScan } from './csv-problem.ts';
import { totalsOf } from './csv-stream.ts';
import type { CsvReadOptions, CsvStream } from './csv-stream.ts';
import { withoutHead } from './data-chunks.ts';
import type { PassedHead } from './data-chunks.ts';
import { finishScan, scanChunk } from './scan-records.ts';
import { ScanProblem, startScan } from './scan-state.ts';

/**
 * The fast path: the file's own bytes, with the three repairs of scan-records.ts. Nothing is done
 * per record in JavaScript but to find its end, and nothing is copied where nothing is repaired.
 *
 * @throws EtlError (while iterating) ETL_CSV_MALFORMED for a quote that is never closed or that
 *   swallows a line end, ETL_LIMIT for a record above `recordBytesMax`, and what reading throws
 */
export function openCsvBytes(
  file: SourceFile,
  description: CsvDescription,
  { signal, onProgress }: CsvReadOptions = {},
): CsvStream {
  const source = decompressed(file, signal === undefined ? {} : { signal });
  const state = startScan(description.dialect, description.columns.length);
  const passed: PassedHead = { bytes: 0, lines: 0 };
  async function* scanned(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of withoutHead(source.chunks, description.dialect, passed)) {
        yield* scanChunk(state, chunk);
        onProgress?.(state.records, source.bytesRead());
      }
      yield* finishScan(state);
      onProgress?.(state.records, source.bytesRead());
    } catch (error) {
      if (!(error instanceof ScanProblem)) throw error;
      throw await errorOfScan(file, error, passed.bytes + error.offset);
    }
  }
  return { chunks: scanned(), totals: totalsOf(source, () => state) };
}
