import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { parquetMetadata } from 'hyparquet';
import type { FileMetaData } from 'hyparquet';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { SourceFile } from '../source-file.ts';
import { checkFooter } from './check-footer.ts';
import { FRESH_MEMORY } from './page-memory.ts';
import { parquetError, parquetErrorOf, unsupportedError } from './parquet-fault.ts';
import { readSchema } from './parquet-schema.ts';
import type { SchemaNode } from './parquet-schema.ts';
import { refuseEndlessNumbers } from './thrift-guard.ts';

/** A Parquet file that is open, with its footer; whoever opened it closes it. */
export interface OpenParquet {
  readonly file: SourceFile;
  readonly footer: FileMetaData;
  readonly columns: readonly SchemaNode[];
  /** Exactly `length` bytes from `offset` on, in what `room` gives for them, or in new memory. */
  read(offset: number, length: number, room?: (length: number) => Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

/**
 * Opens the file and reads its footer, from the end, by random access.
 *
 * @throws EtlError ETL_FILE_NOT_FOUND, ETL_FILE_READ, ETL_FILE_EMPTY, ETL_FILE_FORMAT (no Parquet),
 *   ETL_FILE_CHANGED (its size is not the one that was listed), ETL_PARQUET_CORRUPT,
 *   ETL_PARQUET_UNSUPPORTED (encrypted, compressed as a whole), ETL_LIMIT (footer)
 */
export async function openParquet(file: SourceFile): Promise<OpenParquet> {
  if (file.compression !== 'none') {
    throw unsupportedError(`a Parquet file inside ${file.compression} cannot be read in places`, {
      file: file.name,
    });
  }
  const handle = await openFile(file);
  const read: OpenParquet['read'] = (offset, length, room = FRESH_MEMORY.window) =>
    readExactly(handle, file, offset, room(length));
  try {
    const { size } = await handle.stat();
    return await openFrom(file, size, { read, close: () => handle.close() });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The same of a file whose bytes are in memory. What it reads are views of them.
 *
 * @throws EtlError as openParquet
 */
export async function openParquetBytes(file: SourceFile, bytes: Buffer): Promise<OpenParquet> {
  const read: OpenParquet['read'] = async (offset, length) => {
    if (offset + length <= bytes.length) return bytes.subarray(offset, offset + length);
    throw parquetError('the file ends too early', { file: file.name });
  };
  return openFrom(file, bytes.length, { read, close: async () => undefined });
}

async function openFrom(
  file: SourceFile,
  size: number,
  access: Pick<OpenParquet, 'read' | 'close'>,
): Promise<OpenParquet> {
  checkSize(file, size);
  const footer = parseFooter(file, await readFooter(file, size, access.read));
  const columns = inPlace(file, () => readSchema(footer.schema));
  checkRows(file, footer);
  return { file, footer, columns, ...access };
}

async function openFile(file: SourceFile): Promise<FileHandle> {
  try {
    return await open(file.path, 'r');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT';
    throw new EtlError(
      missing ? 'ETL_FILE_NOT_FOUND' : 'ETL_FILE_READ',
      missing ? 'The file does not exist.' : `The file cannot be read: ${code ?? message}.`,
      missing ? 'Check the path.' : 'Check that it is a file, and its permissions.',
      { file: file.name },
      { cause: error },
    );
  }
}

async function readExactly(
  handle: FileHandle,
  file: SourceFile,
  offset: number,
  buffer: Buffer,
): Promise<Buffer> {
  const { length } = buffer;
  let filled = 0;
  while (filled < length) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new EtlError(
        'ETL_FILE_READ',
        `The file cannot be read: ${code ?? message}.`,
        'Check that it is a file, and its permissions.',
        { file: file.name },
        { cause: error },
      );
    }
    if (bytesRead === 0) throw parquetError('the file ends too early', { file: file.name });
    filled += bytesRead;
  }
  return buffer;
}

function checkSize(file: SourceFile, size: number): void {
  if (size === 0) {
    throw new EtlError(
      'ETL_FILE_EMPTY',
      'The file is empty (0 bytes).',
      'A Parquet file without rows still has a footer: write the file again, or leave it out.',
      { file: file.name },
    );
  }
  if (size !== file.bytes) {
    throw new EtlError(
      'ETL_FILE_CHANGED',
      `The file has ${size} bytes, where ${file.bytes} were expected.`,
      'Run again once nothing writes to the file any more.',
      { file: file.name },
    );
  }
}

/** Bytes read at first: footers are mostly smaller, so that one read suffices. */
const TAIL_BYTES = 64 * 1024;

async function readFooter(
  file: SourceFile,
  size: number,
  read: OpenParquet['read'],
): Promise<Buffer> {
  const place = { file: file.name };
  const tail = await read(Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
  const magic = tail.toString('latin1', Math.max(0, tail.length - 4));
  if (magic === 'PARE') throw unsupportedError('the file is encrypted', place);
  if (magic !== 'PAR1' || size < 12) {
    const begin = (await read(0, Math.min(size, 4))).toString('latin1');
    if (begin === 'PAR1') throw parquetError('the file is cut off: it has no footer', place);
    throw new EtlError(
      'ETL_FILE_FORMAT',
      'The file is not Parquet.',
      'Name files by their format (.csv, .tsv, .parquet).',
      place,
    );
  }
  const footerBytes = tail.readUInt32LE(tail.length - 8) + 8;
  if (footerBytes > size - 4) throw parquetError('its footer is damaged (length)', place);
  if (footerBytes > LIMITS.parquetFooterBytesMax) {
    throw new EtlError(
      'ETL_LIMIT',
      `Its footer has ${footerBytes} bytes, more than ${LIMITS.parquetFooterBytesMax}.`,
      'Write the file again with fewer row groups.',
      { ...place, limit: LIMITS.parquetFooterBytesMax },
    );
  }
  if (footerBytes <= tail.length) return tail.subarray(tail.length - footerBytes);
  return read(size - footerBytes, footerBytes);
}

/** Statistics stay as they are stored: hyparquet's own conversions round and lose microseconds. */
const RAW_STATISTICS = {
  stringFromBytes: (bytes: Uint8Array | undefined): unknown => bytes,
  uuidFromBytes: (bytes: Uint8Array | undefined): unknown => bytes,
  dateFromDays: (days: number): unknown => days,
  timestampFromMilliseconds: (value: bigint): unknown => value,
  timestampFromMicroseconds: (value: bigint): unknown => value,
  timestampFromNanoseconds: (value: bigint): unknown => value,
};

function parseFooter(file: SourceFile, footer: Buffer): FileMetaData {
  return inPlace(file, () => {
    refuseEndlessNumbers(footer);
    const parsed = parquetMetadata(footer, {
      parsers: RAW_STATISTICS,
      geoparquet: false,
    });
    checkFooter(parsed);
    return parsed;
  });
}

function inPlace<T>(file: SourceFile, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw parquetErrorOf(error, { file: file.name });
  }
}

/**
 * Rows are those of the row groups, which their pages have to bear out. A footer that says fewer is
 * seen in practice; one that says more has lost a row group.
 */
function checkRows(file: SourceFile, footer: FileMetaData): void {
  const rows = footer.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (rows < footer.num_rows) {
    throw parquetError(`its footer says ${footer.num_rows} rows, its row groups have ${rows}`, {
      file: file.name,
    });
  }
}
