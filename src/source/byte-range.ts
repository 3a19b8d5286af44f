import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { fileChanged, readError, type ReadOptions } from './compression.ts';
import { readAhead } from './read-ahead.ts';
import type { SourceFile } from './source-file.ts';

/** The bytes `[from, to)` of a file on disk, as they are read. */
export interface RangeSource {
  /** To be iterated once; leaving early closes the file. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Bytes of the range read so far. */
  bytesRead(): number;
}

/** @throws EtlError (while iterating) ETL_FILE_READ, ETL_FILE_CHANGED where the file ends before */
export function byteRange(
  file: SourceFile,
  { from, to }: { readonly from: number; readonly to: number },
  { signal, reuse = false }: Pick<ReadOptions, 'signal' | 'reuse'> = {},
): RangeSource {
  let bytes = 0;
  async function* read(): AsyncGenerator<Buffer> {
    const readBytes = Math.min(LIMITS.readChunkBytes, Math.max(1, to - from));
    try {
      for await (const chunk of readAhead(file.path, { from, to, readBytes, reuse })) {
        signal?.throwIfAborted();
        bytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw error instanceof EtlError ? error : readError(file, error);
    }
    if (bytes !== to - from) throw fileChanged(file, from + bytes);
  }
  return { chunks: read(), bytesRead: () => bytes };
}
