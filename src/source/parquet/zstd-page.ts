import * as zlib from 'node:zlib';
import type { ZSTDDecoder } from 'zstddec';
import { present } from '../../assert.ts';

/**
 * Zstandard for Parquet pages, whole blocks of known size. Node decodes it from 22.15 on; before
 * that zstddec does (WebAssembly: 1.4 times as fast as the decoders in plain JavaScript; bindings
 * that compile at install fail on a machine without a compiler).
 */
type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

const native = (zlib as { zstdDecompressSync?: Decode }).zstdDecompressSync;
/** Imported where it is needed: 60 kB of code that every start would read. */
let wasm: ZSTDDecoder | null = null;

/** Must have resolved once in the thread before `decompressZstd` is called. */
export async function prepareZstd(): Promise<void> {
  if (native !== undefined || wasm !== null) return;
  const decoder = new (await import('zstddec')).ZSTDDecoder();
  await decoder.init();
  wasm = decoder;
}

/** The decoded bytes. Throws where they are not exactly `uncompressedSize` bytes (at least 1). */
export function decompressZstd(bytes: Uint8Array, uncompressedSize: number): Uint8Array {
  const decoded =
    native === undefined
      ? present(wasm, 'the prepared decoder').decode(bytes, uncompressedSize)
      : native(bytes, { maxOutputLength: uncompressedSize });
  if (decoded.byteLength !== uncompressedSize) throw new Error('zstd data is damaged');
  return decoded;
}
