import { present } from '../assert.ts';

/**
 * Streaming Zstandard decoder over the WASM build that `zstddec` ships. Decodes all frames of a
 * file (`zstd`, `pzstd`, `cat a.zst b.zst`), skippable ones included, and checks their checksums.
 * Memory: one input and one output buffer of 1 MiB and the frame's window, at most 128 MiB
 * (what `zstd -d` accepts, too), inside the WASM memory of the thread.
 *
 * Rejected: `createZstdDecompress` of node:zlib (22.15 and later), which ends silently after the
 * first frame (https://github.com/nodejs/node/issues/64741), so rows would vanish. Rejected:
 * `decodeStreaming` of zstddec itself, which takes its input synchronously and never looks at the
 * decoder's error codes, so that a corrupt file makes it loop for ever. Hence we drive the exports
 * of its WASM module, which it hands to `_init`.
 */
export async function* unzstd(
  compressed: AsyncIterable<Buffer>,
  meter: ZstdMeter = { consumed: 0 },
): AsyncGenerator<Buffer> {
  const zstd = await zstdExports();
  const context = zstd.ZSTD_createDCtx();
  const memory = zstd.malloc(2 * structBytes + 2 * bufferBytes);
  try {
    if (context === 0 || memory === 0) throw new ZstdProblem('the decoder is out of memory');
    let state = 0;
    for await (const chunk of compressed) {
      for (let start = 0; start < chunk.length; start += bufferBytes) {
        const part = chunk.subarray(start, start + bufferBytes);
        for (const step of decode(zstd, context, memory, part, meter)) {
          state = step.state;
          if (step.bytes.length > 0) yield step.bytes;
        }
      }
    }
    if (state !== 0) throw new ZstdProblem('it ends before its data is complete');
  } finally {
    zstd.free(memory);
    zstd.ZSTD_freeDCtx(context);
  }
}

/** Compressed bytes that the decoder has taken. */
interface ZstdMeter {
  consumed: number;
}

/** What is wrong with the input; the caller knows the file and makes the user's error of it. */
export class ZstdProblem extends Error {
  override readonly name = 'ZstdProblem';
}

/** The functions of zstd.h as the module exports them; pointers are offsets into `memory`. */
interface ZstdExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(pointer: number): void;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): void;
  /** 0 at the end of a frame, a hint above 0 inside of one, the error's number below 0. */
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

const bufferBytes = 1024 * 1024;
/** ZSTD_inBuffer and ZSTD_outBuffer are three 32-bit words: address, size, position. */
const structBytes = 12;

/** Feeds one part of at most `bufferBytes`. The views are made again: the memory may have grown. */
function* decode(
  zstd: ZstdExports,
  context: number,
  memory: number,
  part: Buffer,
  meter: ZstdMeter,
): Generator<{ readonly bytes: Buffer; readonly state: number }> {
  const input = memory;
  const output = memory + structBytes;
  const inputData = memory + 2 * structBytes;
  const outputData = inputData + bufferBytes;
  new Uint8Array(zstd.memory.buffer, inputData, part.length).set(part);
  let consumed = 0;
  let outputFull = false;
  while (consumed < part.length || outputFull) {
    const words = new Uint32Array(zstd.memory.buffer, memory, 6);
    words.set([inputData, part.length, consumed, outputData, bufferBytes, 0]);
    const state = zstd.ZSTD_decompressStream(context, output, input);
    if (state < 0) throw new ZstdProblem(problemOf(-state));
    const [, , position = 0, , , produced = 0] = new Uint32Array(zstd.memory.buffer, memory, 6);
    meter.consumed += position - consumed;
    consumed = position;
    // At the end of a frame all is flushed, and another call would ask for the next frame's header.
    outputFull = produced === bufferBytes && state !== 0;
    yield { bytes: Buffer.from(new Uint8Array(zstd.memory.buffer, outputData, produced)), state };
  }
}

/** Numbers of zstd_errors.h, stable since zstd 1.3.1. */
function problemOf(number: number): string {
  if (number === 10) return 'it is not Zstandard data';
  if (number === 16)
    return 'it was written with a window above 128 MiB (zstd --long=27 is the most)';
  if (number === 22) return 'a checksum does not match';
  if (number === 30 || number === 32) return 'it needs a dictionary';
  return `its data is corrupt (error ${number} of zstd)`;
}

let loading: Promise<ZstdExports> | null = null;

/** One module per thread; every stream has a context and buffers of its own inside it. */
function zstdExports(): Promise<ZstdExports> {
  loading ??= loadExports();
  return loading;
}

/** 95 kB of code, which nearly no load needs. */
async function loadExports(): Promise<ZstdExports> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  let found: ZstdExports | null = null;
  const decoder = new ZSTDDecoder();
  const original = decoder._init.bind(decoder);
  decoder._init = (result: { readonly instance: { readonly exports: unknown } }) => {
    found = result.instance.exports as ZstdExports;
    original(result as Parameters<typeof original>[0]);
  };
  await decoder.init();
  return present<ZstdExports>(found, 'the WASM module of zstddec');
}
