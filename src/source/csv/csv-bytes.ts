import { decompressed } from '../compression.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { errorOfScan } from './csv-problem.ts';
import { totalsOf } from './csv-stream.ts';
import type { CsvReadOptions, CsvStream } from './csv-stream.ts';
import { withoutHead } from './data-chunks.ts';
import type { PassedHead } from './data-chunks.ts';
import { finishScan, scanChunk } from './scan-records.ts';
import { ScanProblem, startScan } from './scan-state.ts';
import type { ScanState } from './scan-state.ts';

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
  const source = decompressed(file, { reuse: true, ...(signal === undefined ? {} : { signal }) });
  const state = startScan(description.dialect, description.columns.length);
  const passed: PassedHead = { bytes: 0, lines: 0 };
  const data = withoutHead(source.chunks, description.dialect, passed);
  const tell = (): void => onProgress?.(state.records, source.bytesRead());
  const chunks = scanned(file, state, data, () => passed.bytes, tell);
  return { chunks, totals: totalsOf(source, () => state) };
}

/** The bytes as COPY is to have them; `dataStart` is the offset in the file of the first. */
export async function* scanned(
  file: SourceFile,
  state: ScanState,
  chunks: AsyncIterable<Buffer>,
  dataStart: () => number,
  onChunk: () => void,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of chunks) {
      yield* scanChunk(state, chunk);
      onChunk();
    }
    yield* finishScan(state);
    onChunk();
  } catch (error) {
    if (!(error instanceof ScanProblem)) throw error;
    throw await errorOfScan(file, error, dataStart() + error.offset);
  }
}
