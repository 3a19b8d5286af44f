import { brotliDecompressSync, unzipSync } from 'node:zlib';
import type { CompressionCodec } from 'hyparquet';
import { decompressZstd, prepareZstd } from './zstd-page.ts';
import { decompressLz4Block, decompressLz4Hadoop } from './lz4-block.ts';
import { FRESH_MEMORY } from './page-memory.ts';
import type { PageMemory } from './page-memory.ts';
import { PageFault } from './parquet-fault.ts';
import { decompressSnappy } from './snappy-page.ts';

/** Must have resolved before pages of the codec are decoded. Throws where nobody can decode it. */
export async function prepareCodec(codec: CompressionCodec): Promise<void> {
  if (codec === 'ZSTD') await prepareZstd();
  if (!KNOWN.has(codec)) {
    throw new PageFault(
      `the compression codec ${(codec as string | undefined) ?? '(unknown)'} is not supported`,
      'ETL_PARQUET_UNSUPPORTED',
    );
  }
}

const KNOWN: ReadonlySet<string> = new Set<CompressionCodec>([
  ...(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4', 'LZ4_RAW'] as const),
]);

/**
 * The decoded page of exactly `size` bytes; in fresh memory alone in an ArrayBuffer of its own. Who
 * reads it by a DataView makes one of its very bytes: what reads past the end of a damaged page then
 * throws, where in the whole buffer it would find its neighbour's bytes.
 */
export function decompressPage(
  bytes: Uint8Array,
  size: number,
  codec: CompressionCodec,
  memory: PageMemory = FRESH_MEMORY,
): Uint8Array {
  if (codec === 'UNCOMPRESSED') return copied(bytes, memory);
  // Writers disagree about what an empty page looks like when it is compressed.
  if (size === 0) return new Uint8Array(0);
  // It comes straight into the memory that it is for.
  if (codec === 'SNAPPY') return decompressSnappy(bytes, size, memory);
  const page = decode(bytes, size, codec);
  if (page.byteLength !== size) {
    throw new PageFault(`a page has ${page.byteLength} bytes where its header says ${size}`);
  }
  return page.buffer.byteLength === size ? page : copied(page, memory);
}

function copied(bytes: Uint8Array, memory: PageMemory): Uint8Array {
  const page = memory.bytes(bytes.length);
  page.set(bytes);
  return page;
}

function decode(
  bytes: Uint8Array,
  size: number,
  codec: Exclude<CompressionCodec, 'UNCOMPRESSED' | 'SNAPPY'>,
): Uint8Array {
  switch (codec) {
    case 'GZIP':
      return unzipSync(bytes, { maxOutputLength: size });
    case 'BROTLI':
      return brotliDecompressSync(bytes, { maxOutputLength: size });
    case 'ZSTD':
      return decompressZstd(bytes, size);
    case 'LZ4_RAW':
      return decompressLz4Block(bytes, size);
    case 'LZ4':
      return decompressLz4Hadoop(bytes, size);
    case 'LZO':
      throw new PageFault(`no decoder for ${codec}`, 'ETL_PARQUET_UNSUPPORTED');
  }
}
