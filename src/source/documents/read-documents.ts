import { hash } from 'node:crypto';
import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { fileChanged, readError } from '../compression.ts';
import type { SourceFile } from '../source-file.ts';
import {
  readAtOnce,
  readFromDisk,
  readMeanwhile,
  type FileRead,
  type Room as WholeRoom,
} from './read-file.ts';

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
  /** Blocks of 512 bytes that this process has read from a disk so far; the system's count where absent. */
  readonly blocksRead?: () => number;
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
 * take 8 µs of CPU, and 40 to 60 by the runtime's threads. A window that came from a disk says that the next
 * ones do, too; then many of their files are read at once, so that the server has work while a disk is waited
 * for: 20,000 documents that were in no memory took 0.58 to 0.73 of the time, and 0.82 of the client's CPU.
 * And where a window took far longer than any disk here, over a network, they are opened at once, too.
 */
export async function* readDocuments(
  files: readonly SourceFile[],
  { signal, now, blocksRead = diskBlocks }: ReadOptions,
): AsyncGenerator<DocumentWindow> {
  const blocks = blocksRead();
  const pace: Pace = { now, blocksRead, blocks, fromDisk: false, slowFor: 0, buffers: [] };
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

function diskBlocks(): number {
  return process.resourceUsage().fsRead;
}

interface Pace extends Required<Pick<ReadOptions, 'now' | 'blocksRead'>> {
  /** Those that were read when they were last asked for. */
  blocks: number;
  /** Whether the window before came from a disk. */
  fromDisk: boolean;
  /** Windows yet to be read as if each file took long to be opened. */
  slowFor: number;
  /** Two, each for every other window: a new one for each costs more than what is read into it. */
  readonly buffers: Buffer[];
}

/**
 * Milliseconds that a document may take on average; then for so many windows opening one is slow. Where ten
 * processes share a processor, documents that are in memory took up to 0.6.
 */
const SLOW_MS = 1;
const SLOW_WINDOWS = 16;

/**
 * Milliseconds in which no disk has a window: the system need not be asked, which has all threads to add up,
 * 0.3 s of 100,000 documents. In memory a window takes 0.35.
 */
const QUICK_MS = 0.75;

/** Share of a window's bytes from which on it came from a disk. */
const DISK_SHARE = 1 / 4;
const BLOCK_BYTES = 512;

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
  const slow = pace.slowFor > 0 || end > LIMITS.documentWindowBytes;
  const startedAt = pace.now();
  let documents: readonly ReadDocument[];
  if (slow || pace.fromDisk) {
    pace.slowFor = Math.max(0, pace.slowFor - 1);
    documents = await readTogether(own, rooms, buffer, slow ? readMeanwhile : readFromDisk);
  } else {
    documents = own.map((file, place) => {
      const room = present(rooms[place], 'its place');
      return documentOf(file, buffer, room, tryRead(file, { buffer, ...room }));
    });
    const took = pace.now() - startedAt;
    if (took > SLOW_MS * own.length) pace.slowFor = SLOW_WINDOWS;
    if (took < QUICK_MS) return { first, bytes: buffer, documents };
  }
  const blocks = pace.blocksRead();
  pace.fromDisk = (blocks - pace.blocks) * BLOCK_BYTES > DISK_SHARE * end;
  pace.blocks = blocks;
  return { first, bytes: buffer, documents };
}

function bufferFor(length: number, { buffers }: Pace): Buffer {
  if (length > LIMITS.documentWindowBytes) return Buffer.allocUnsafeSlow(length);
  const used = buffers.length < 2 ? spare.pop() : buffers.shift();
  const buffer = used ?? Buffer.allocUnsafeSlow(LIMITS.documentWindowBytes);
  buffers.push(buffer);
  return buffer;
}

async function readTogether(
  files: readonly SourceFile[],
  rooms: readonly Room[],
  buffer: Buffer,
  readFile: typeof readMeanwhile,
): Promise<ReadDocument[]> {
  const documents = new Array<ReadDocument>(files.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let place = next++; place < files.length; place = next++) {
      const file = present(files[place], 'a document');
      const room = present(rooms[place], 'its place');
      const tried = await readFile(file.path, { buffer, ...room }).then(
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
