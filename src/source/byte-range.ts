import { createReadStream } from 'node:fs';
import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { fileChanged, readError } from './compression.ts';
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
  signal?: AbortSignal,
): RangeSource {
  let bytes = 0;
  async function* read(): AsyncGenerator<Buffer> {
    // A read stream's `end` is the last byte that it reads, so it cannot say "none".
    if (from === to) return;
    const options = { start: from, end: to - 1, highWaterMark: LIMITS.readChunkBytes };
    try {
      for await (const chunk of createReadStream(file.path, options)) {
        signal?.throwIfAborted();
        bytes += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    } catch (error) {
      throw error instanceof EtlError ? error : readError(file, error);
    }
    if (bytes !== to - from) throw fileChanged(file, from + bytes);
  }
  return { chunks: read(), bytesRead: () => bytes };
}
