import { hash } from 'node:crypto';
import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { fileChanged, readError } from '../compression.ts';
import type { SourceFile } from '../source-file.ts';
import { readAtOnce, readMeanwhile, type FileRead, type Room as WholeRoom } from './read-file.ts';

/**
 * Neighbours among the documents of a unit, with their contents in one buffer, which is that of another
 * window once the next one is asked for.
 */
export interface DocumentWindow {
  /** Place of the first among the files that were given. */
  readonly first: number;
  readonly bytes: Buffer;
  readonly documents: readonly ReadDocument[];
}

/** A document that was read: where in the buffer of its window it is, or what is wrong with it. */
export type ReadDocument =
  | { readonly start: number; readonly end: number; readonly contentHash: string }
  | { readonly error: EtlError };

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds; for durations only. */
  readonly now: () => number;
}

/**
 * Reads documents in their order, a window of bytes at a time, and the next window while the one before
 * is sent: so the memory is that of two windows, or of two documents where these are larger. A window is
 * about as large as what a socket holds, since the server has no more than that to work on while the
 * next one is read: 100,000 documents of 20 kB took 12.5 to 14.2 s with windows of 256 kB, 14.1 with those
 * of 1 MiB, and 15.1 with those of 128 kB.
 *
 * A document that cannot be read, or is not as it was planned, is an error of its own in its place.
 *
 * What the system has in memory is read file by file, without giving way: open, read, stat and close
 * take 8 µs of CPU, and 40 to 60 by the runtime's threads. A window that took far longer than that must
 * wait for a disk or a network; then many files of the next ones are read at once.
 */
export async function* readDocuments(
  files: readonly SourceFile[],
  { signal, now }: ReadOptions,
): AsyncGenerator<DocumentWindow> {
  const pace: Pace = { now, atOnceFor: 0, buffers: [] };
  let next = readWindow(files, 0, pace);
  try {
    for (let first = 0; first < files.length;) {
      const window = await next;
      first += window.documents.length;
      signal?.throwIfAborted();
      next = readWindow(files, first, pace);
      yield window;
    }
  } finally {
    // What is being read into a buffer must not outlive who reads.
    await next;
    spare.push(...pace.buffers.splice(0, SPARE_MAX - spare.length));
  }
}

/**
 * Buffers of readers that have ended, for those that begin. V8 collects what is no longer used late: with
 * new ones for each unit of 4,000 documents a load of 100,000 held 35 MB of them.
 */
const spare: Buffer[] = [];
const SPARE_MAX = 8;

interface Pace {
  readonly now: () => number;
  /** Windows yet to be read many files at once. */
  atOnceFor: number;
  /** Two, each for every other window: a new one for each costs more than what is read into it. */
  readonly buffers: Buffer[];
}

/**
 * Milliseconds that a document may take on average; then for so many windows the disk is slow. Where ten
 * processes share a processor, documents that are in memory took up to 0.6.
 */
const SLOW_MS = 1;
const SLOW_WINDOWS = 16;

/** Never rejects. */
async function readWindow(
  files: readonly SourceFile[],
  first: number,
  pace: Pace,
): Promise<DocumentWindow> {
  const own = filesOfWindow(files, first);
  const rooms: Room[] = [];
  let end = 0;
  for (const file of own) {
    rooms.push({ start: end, length: roomFor(file) });
    end += roomFor(file);
  }
  const buffer = bufferFor(end, pace);
  if (pace.atOnceFor > 0 || end > LIMITS.documentWindowBytes) {
    pace.atOnceFor = Math.max(0, pace.atOnceFor - 1);
    return { first, bytes: buffer, documents: await readManyAtOnce(own, rooms, buffer) };
  }
  const startedAt = pace.now();
  const documents = own.map((file, place) => {
    const room = present(rooms[place], 'its place');
    return documentOf(file, buffer, room, tryRead(file, { buffer, ...room }));
  });
  if (pace.now() - startedAt > SLOW_MS * own.length) pace.atOnceFor = SLOW_WINDOWS;
  return { first, bytes: buffer, documents };
}

function bufferFor(length: number, { buffers }: Pace): Buffer {
  if (length > LIMITS.documentWindowBytes) return Buffer.allocUnsafeSlow(length);
  const used = buffers.length < 2 ? spare.pop() : buffers.shift();
  const buffer = used ?? Buffer.allocUnsafeSlow(LIMITS.documentWindowBytes);
  buffers.push(buffer);
  return buffer;
}

async function readManyAtOnce(
  files: readonly SourceFile[],
  rooms: readonly Room[],
  buffer: Buffer,
): Promise<ReadDocument[]> {
  const documents = new Array<ReadDocument>(files.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let place = next++; place < files.length; place = next++) {
      const file = present(files[place], 'a document');
      const room = present(rooms[place], 'its place');
      const tried = await readMeanwhile(file.path, { buffer, ...room }).then(
        (read) => ({ read }),
        (error: unknown) => ({ error }),
      );
      documents[place] = documentOf(file, buffer, room, tried);
    }
  };
  const lanes = Math.min(LIMITS.documentsOpenMax, files.length);
  await Promise.all(Array.from({ length: lanes }, lane));
  return documents;
}

function filesOfWindow(files: readonly SourceFile[], first: number): readonly SourceFile[] {
  let bytes = 0;
  let end = first;
  for (; end < files.length; end++) {
    bytes += roomFor(present(files[end], 'a document'));
    if (end > first && bytes > LIMITS.documentWindowBytes) break;
  }
  return files.slice(first, end);
}

/** One byte more than there should be shows that there are more; what is too large is not read. */
function roomFor({ bytes }: SourceFile): number {
  return bytes > LIMITS.documentBytesMax ? 0 : bytes + 1;
}

type Room = Omit<WholeRoom, 'buffer'>;
type Tried = { readonly read: FileRead } | { readonly error: unknown };

function tryRead({ path }: SourceFile, room: WholeRoom): Tried {
  try {
    return { read: readAtOnce(path, room) };
  } catch (error) {
    return { error };
  }
}

function documentOf(file: SourceFile, buffer: Buffer, { start }: Room, tried: Tried): ReadDocument {
  if (file.bytes > LIMITS.documentBytesMax) return { error: tooLarge(file) };
  if ('error' in tried) return { error: readError(file, tried.error) };
  const { bytes, mtimeMs } = tried.read;
  if (bytes !== file.bytes) return { error: fileChanged(file, bytes) };
  if (mtimeMs !== file.mtimeMs) return { error: written(file) };
  const end = start + bytes;
  return { start, end, contentHash: hash('sha256', buffer.subarray(start, end), 'hex') };
}

function tooLarge(file: SourceFile): EtlError {
  const limit = LIMITS.documentBytesMax;
  return new EtlError(
    'ETL_LIMIT',
    `The document has ${file.bytes} bytes; one value may have ${limit} at most.`,
    'Leave it out, or keep its path in the table instead of its content.',
    { file: file.name, limit },
  );
}

function written(file: SourceFile): EtlError {
  return new EtlError(
    'ETL_FILE_CHANGED',
    'The file was written to since the load was planned.',
    'Run again once it is complete.',
    { file: file.name },
  );
}
