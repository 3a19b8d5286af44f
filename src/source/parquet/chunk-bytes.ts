import type { PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { OpenParquet } from './open-parquet.ts';
import type { PageMemory } from './page-memory.ts';
import { PageFault } from './parquet-fault.ts';
import { refuseEndlessNumbers } from './thrift-guard.ts';

/** What one reader of a file holds and has read; its column chunks share it. */
export interface ReadMeter {
  /** Decoded bytes of the pages and dictionaries that are held. */
  heldBytes: number;
  /** Bytes read from disk. */
  diskBytes: number;
  /** Bytes of the values that were given out. */
  decodedBytes: number;
}

/**
 * The bytes of one column chunk in order: page headers, and the pages behind them. What is given
 * out stays as it is until more is asked for.
 */
export interface ChunkBytes {
  /** Null at the end of the chunk. */
  header(): Promise<PageHeader | null>;
  take(length: number): Promise<Uint8Array>;
  skip(length: number): void;
}

/** Page headers hold statistics, so their size is not known before they are parsed. */
const HEADER_BYTES_MIN = 4 * 1024;
const HEADER_BYTES_MAX = 16 * 1024 * 1024;

export interface ChunkReading {
  /** Bytes of one read from the file. */
  readonly readBytes: number;
  readonly meter: ReadMeter;
  readonly memory: PageMemory;
}

/** Reads `[start, end)` of the file in windows of `readBytes`, or of a page where that is larger. */
export function openChunkBytes(
  parquet: OpenParquet,
  start: number,
  end: number,
  { readBytes, meter, memory }: ChunkReading,
): ChunkBytes {
  let window: Uint8Array = new Uint8Array(0);
  let windowStart = start;
  let position = start;

  /** At least `length` bytes from the position on, fewer only at the end of the chunk. */
  async function ahead(length: number): Promise<Uint8Array> {
    const windowEnd = windowStart + window.length;
    const wanted = Math.min(length, end - position);
    if (position < windowStart || position + wanted > windowEnd) {
      const bytes = Math.min(Math.max(readBytes, wanted), end - position);
      window = await parquet.read(position, bytes, memory.window);
      windowStart = position;
      meter.diskBytes += bytes;
    }
    return window.subarray(position - windowStart);
  }

  return {
    async header() {
      if (position >= end) return null;
      for (let size = HEADER_BYTES_MIN; ; size *= 8) {
        const bytes = (await ahead(size)).subarray(0, size);
        refuseEndlessNumbers(bytes);
        const reader = { view: viewOf(bytes), offset: 0 };
        try {
          const header = parquetHeader(reader);
          position += reader.offset;
          return header;
        } catch (error) {
          if (bytes.length < size || size >= HEADER_BYTES_MAX) throw error;
        }
      }
    },
    async take(length) {
      if (!(length >= 0 && length <= end - position)) {
        throw new PageFault('a page is longer than its column chunk');
      }
      const bytes = (await ahead(length)).subarray(0, length);
      position += length;
      return bytes;
    },
    skip(length) {
      if (!(length >= 0 && length <= end - position)) {
        throw new PageFault('a page is longer than its column chunk');
      }
      position += length;
    },
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
