import { PageFault } from './parquet-fault.ts';
import { FRESH_MEMORY } from './page-memory.ts';
import type { PageMemory } from './page-memory.ts';
import { openSnappyModule } from './snappy-module.ts';
import type { SnappyModule } from './snappy-module.ts';

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
export function decompressSnappy(
  bytes: Uint8Array,
  size: number,
  memory: PageMemory = FRESH_MEMORY,
): Uint8Array {
  if (statedSize(bytes) !== size) throw damaged();
  const module = kept ?? openSnappyModule();
  kept = null;
  const decoded = decode(module, bytes, size);
  if (bytes.length + size <= KEPT_BYTES_MAX) kept = module;
  const page = memory.bytes(size);
  page.set(decoded);
  return page;
}

/** A module's memory never shrinks, so that of a larger page goes with the page. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/** The module that is ready for the next page; one that has failed is in no known state. */
let kept: SnappyModule | null = null;

/** The page where the module has written it, until the next one is decoded. */
function decode(module: SnappyModule, bytes: Uint8Array, size: number): Uint8Array {
  const input = module.__heap_base.value;
  const output = input + bytes.length;
  const end = output + size;
  let failed: boolean;
  try {
    const lacking = end - module.memory.buffer.byteLength;
    if (lacking > 0) module.memory.grow(Math.ceil(lacking / MEMORY_STEP));
    new Uint8Array(module.memory.buffer).set(bytes, input);
    failed = module.uncompress(input, bytes.length, output) !== 0;
  } catch {
    failed = true;
  }
  if (failed) throw damaged();
  return new Uint8Array(module.memory.buffer, output, size);
}

/** WebAssembly has memory in pieces of so many bytes. */
const MEMORY_STEP = 64 * 1024;

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
