import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { EtlError } from '../errors.ts';
import { fileChanged, readError } from './compression.ts';
import type { SourceFile } from './source-file.ts';

/**
 * The bytes of a file as they lie on disk, as one chunk: one opening and one read, 50 µs of CPU
 * where a stream takes 75, and as much again for its hash and its chunks.
 *
 * @throws EtlError (while iterating) ETL_FILE_READ, ETL_FILE_CHANGED where the size on disk is not
 *   the one that was found
 */
export async function* inOneRead(file: SourceFile): AsyncGenerator<Buffer> {
  const buffer = bufferFor(file);
  let bytes = 0;
  try {
    await using handle = await open(file.path);
    for (let read = -1; read !== 0 && bytes < buffer.length; bytes += read) {
      read = (await handle.read(buffer, bytes, buffer.length - bytes, bytes)).bytesRead;
    }
  } catch (error) {
    throw readError(file, error);
  }
  yield checked(file, buffer.subarray(0, bytes));
}

/** A file that is described from all of its bytes. */
export function isSmall({ compression, bytes }: SourceFile): boolean {
  return compression === 'none' && bytes <= SMALL_BYTES;
}

const SMALL_BYTES = 64 * 1024;

/**
 * The same for a small file that was read a moment ago, so that its bytes are still in memory: 7 µs,
 * while nothing else is done. In a first read that would be to wait for the disk, file by file.
 *
 * @throws EtlError as `inOneRead`
 */
export async function* againInOneRead(file: SourceFile): AsyncGenerator<Buffer> {
  yield readAgain(file);
}

function readAgain(file: SourceFile): Buffer {
  try {
    return checked(file, readAtOnce(file));
  } catch (error) {
    throw error instanceof EtlError ? error : readError(file, error);
  }
}

/** Up to one byte more than the file was found to have. Blocks; throws what the system says. */
export function readAtOnce(file: SourceFile): Buffer {
  const buffer = bufferFor(file);
  const handle = openSync(file.path, 'r');
  try {
    let bytes = 0;
    for (let read = -1; read !== 0 && bytes < buffer.length; bytes += read) {
      read = readSync(handle, buffer, bytes, buffer.length - bytes, bytes);
    }
    return buffer.subarray(0, bytes);
  } finally {
    closeSync(handle);
  }
}

/** One byte more than there should be shows that there are more. */
function bufferFor(file: SourceFile): Buffer {
  return Buffer.allocUnsafeSlow(file.bytes + 1);
}

function checked(file: SourceFile, bytes: Buffer): Buffer {
  if (bytes.length !== file.bytes) throw fileChanged(file, bytes.length);
  return bytes;
}
