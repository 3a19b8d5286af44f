import { createHash } from 'node:crypto';
import { Readable, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { refuseBomb } from './expansion.ts';
import { readAhead } from './read-ahead.ts';
import type { SourceFile } from './source-file.ts';
import { ZstdProblem, unzstd } from './zstd.ts';

/** The bytes of a file, decompressed, as they are read. */
export interface ByteSource {
  /** To be iterated once; leaving early closes the file. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Bytes read from disk so far, compressed as they lie there. */
  bytesRead(): number;
  /** SHA-256 (hex) of the bytes read from disk so far. Call once. */
  contentHash(): string;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Size of one read from disk; less makes `bytesRead` finer. */
  readonly readBytes?: number;
  /** Whether a chunk need only be good until the next one is asked for. */
  readonly reuse?: boolean;
}

/**
 * Reads a file from its first byte to its last, gunzipped (all members) or unzstd-ed (all frames).
 *
 * @throws EtlError (while iterating) ETL_FILE_READ, ETL_FILE_CHANGED where the size on disk is not
 *   the one that was planned with, ETL_COMPRESSED where the data is corrupt or cut short, ETL_LIMIT
 *   where it is a bomb, ETL_ABORTED
 */
export function decompressed(file: SourceFile, options: ReadOptions = {}): ByteSource {
  const hash = createHash('sha256');
  let bytes = 0;
  const onDisk = readFromDisk(file, options, (chunk) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  const chunks =
    file.compression === 'none'
      ? onDisk
      : explained(
          file,
          file.compression === 'gzip' ? gunzipped(file, onDisk) : unpacked(file, onDisk),
        );
  return { chunks, bytesRead: () => bytes, contentHash: () => hash.digest('hex') };
}

async function* readFromDisk(
  file: SourceFile,
  { signal, readBytes = LIMITS.readChunkBytes, reuse = false }: ReadOptions,
  onChunk: (chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  // A small file does not need a large buffer: ten thousand of them cost half the time without.
  const reading = {
    ...{ from: 0, to: Infinity, readBytes: Math.min(readBytes, file.bytes + 1) },
    // A decoder holds on to what it is given.
    reuse: reuse && file.compression === 'none',
  };
  try {
    for await (const chunk of readAhead(file.path, reading)) {
      if (signal?.aborted === true) throw abortedError(signal);
      bytes += chunk.length;
      onChunk(chunk);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof EtlError ? error : readError(file, error);
  }
  if (bytes !== file.bytes) throw fileChanged(file, bytes);
}

const bytesMin = LIMITS.expansionTextBytesMin;

/** zlib runs in a thread of libuv's pool, so decoding overlaps with scanning and sending. */
async function* gunzipped(
  file: SourceFile,
  compressed: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: LIMITS.readChunkBytes / 4 });
  // The error comes out of the loop below: pipeline destroys gunzip with it.
  pipeline(Readable.from(compressed, { highWaterMark: 1 }), gunzip, () => undefined);
  let decoded = 0;
  for await (const chunk of gunzip) {
    decoded += (chunk as Buffer).length;
    refuseBomb(file, { encoded: gunzip.bytesWritten, decoded, bytesMin });
    yield chunk as Buffer;
  }
}

async function* unpacked(
  file: SourceFile,
  compressed: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const meter = { consumed: 0 };
  let decoded = 0;
  for await (const chunk of unzstd(compressed, meter)) {
    decoded += chunk.length;
    refuseBomb(file, { encoded: meter.consumed, decoded, bytesMin });
    yield chunk;
  }
}

/** Makes the user's error of what the decoders throw. */
async function* explained(file: SourceFile, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of chunks) yield chunk;
  } catch (error) {
    const what = problemOf(error);
    if (what === null) throw error;
    throw new EtlError(
      'ETL_COMPRESSED',
      `The ${file.compression} file cannot be decompressed: ${what}.`,
      'Copy or compress the file again; nothing of it was loaded.',
      { file: file.name },
      { cause: error },
    );
  }
}

function problemOf(error: unknown): string | null {
  if (error instanceof ZstdProblem) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return 'it ends before its data is complete';
  return code?.startsWith('Z_') === true ? message : null;
}

export function fileChanged(file: SourceFile, bytes: number): EtlError {
  return new EtlError(
    'ETL_FILE_CHANGED',
    `The file has ${bytes} bytes, but had ${file.bytes} when the load was planned.`,
    'Run again when the file is complete.',
    { file: file.name },
  );
}

export function readError(file: SourceFile, error: unknown): EtlError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new EtlError(
    'ETL_FILE_READ',
    `The file cannot be read: ${code ?? message}.`,
    'Check that it is there, and its permissions.',
    { file: file.name },
    { cause: error },
  );
}

function abortedError(signal: AbortSignal): EtlError {
  if (signal.reason instanceof EtlError) return signal.reason;
  return new EtlError('ETL_ABORTED', 'Interrupted while reading.', 'Run again to load the rest.');
}
