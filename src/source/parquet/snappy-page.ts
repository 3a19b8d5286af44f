import { snappyUncompressor } from 'hysnappy';
import { PageFault } from './parquet-fault.ts';

/**
 * Snappy's raw format, which Parquet pages have and Node has no decoder for: hysnappy, C compiled to
 * WebAssembly. It takes 120 ms of a new process for the 110 MB of 1.5 million rows; hyparquet's loop
 * over bytes takes twice that, since V8 compiles it first. Decoders of our own were faster (JavaScript
 * in steps of four bytes is equal once warm, WebAssembly that writes into the page's own memory took
 * 90 ms) and are not worth 230 lines beside a library that is kept.
 *
 * hysnappy believes the size that it is told and gives out whatever its memory held; so the size that
 * the data states is compared first.
 *
 * @returns a page of exactly `size` bytes. @throws PageFault where the data is damaged
 */
export function decompressSnappy(bytes: Uint8Array, size: number): Uint8Array {
  if (statedSize(bytes) !== size) throw damaged();
  const decode = kept ?? snappyUncompressor();
  kept = null;
  let page: Uint8Array;
  try {
    page = decode(bytes, size);
  } catch {
    throw damaged();
  }
  if (bytes.length + size <= KEPT_BYTES_MAX) kept = decode;
  return page;
}

/** A decoder's memory never shrinks, so that of a larger page goes with the page. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/** The decoder that is ready for the next page; one that has failed is in no known state. */
let kept: ReturnType<typeof snappyUncompressor> | null = null;

/** The length of the decoded data, in front of it by seven bits a byte. */
function statedSize(bytes: Uint8Array): number | null {
  let stated = 0;
  for (let at = 0; at < 5; at++) {
    const byte = bytes[at];
    if (byte === undefined) return null;
    stated += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return stated;
  }
  return null;
}

function damaged(): PageFault {
  return new PageFault('its Snappy data is damaged');
}
