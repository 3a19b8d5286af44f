import { open } from 'node:fs/promises';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { decompressed, readError } from '../compression.ts';
import type { CsvDescription, CsvDialect, FileSample, SourceFile } from '../source-file.ts';
import { findDataStart } from './data-start.ts';
import { parseText } from './parse-text.ts';
import { sampleBlocks } from './sample-blocks.ts';
import type { DataBytes } from './sample-blocks.ts';
import { finishScan, scanChunk } from './scan-records.ts';
import { ScanProblem, startScan } from './scan-state.ts';
import { decodeText, isUtf16, toUtf8 } from './text-encoding.ts';

export interface SampleOptions {
  readonly rowsMax: number;
  /** Bytes read of the file, or of a compressed one decompressed, at most (roughly). */
  readonly bytesMax: number;
  /** The same seed and file give the same sample. */
  readonly seed: number;
}

/**
 * Some rows of a CSV file, in the file's order.
 *
 * A file of at most `bytesMax` is read whole and its records are counted. Of a larger one we read
 * blocks: the head, one at a random place of each of equal stretches, and the tail, each begun at
 * a line end and cut at one. Compressed and UTF-16 files give up their head only. Rows that do not
 * parse or have a wrong number of fields are left out: a block may have begun inside quotes. So a
 * sample is for choosing how to load, never for what is loaded.
 *
 * @throws EtlError what reading throws
 */
export async function sampleCsv(
  file: SourceFile,
  description: CsvDescription,
  options: SampleOptions,
): Promise<FileSample> {
  const headOnly = file.compression !== 'none' || isUtf16(description.dialect.encoding);
  if (file.bytes > options.bytesMax && !headOnly) return sampleOnDisk(file, description, options);
  const head = await readHead(file, description.dialect, options.bytesMax);
  return head.ended
    ? sampleWhole(file, utf8Where16(description), options, head.data)
    : sampleHead(file, utf8Where16(description), options, head);
}

/** UTF-16 is UTF-8 once it is read. */
function utf8Where16(description: CsvDescription): CsvDescription {
  const { dialect } = description;
  if (!isUtf16(dialect.encoding)) return description;
  return { ...description, dialect: { ...dialect, encoding: 'utf8' } };
}

interface Head {
  /** Decompressed, from the first data record on. */
  readonly data: Buffer;
  readonly ended: boolean;
  /** Decompressed bytes for each byte on disk. */
  readonly ratio: number;
}

async function readHead(file: SourceFile, dialect: CsvDialect, bytesMax: number): Promise<Head> {
  const source = decompressed(file, { readBytes: Math.ceil(bytesMax / 128) });
  const text = isUtf16(dialect.encoding)
    ? toUtf8(file, source.chunks, dialect.encoding)
    : source.chunks;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let ended = true;
  for await (const chunk of text) {
    chunks.push(chunk);
    bytes += chunk.length;
    ended = bytes <= bytesMax;
    if (!ended) break;
  }
  const all = Buffer.concat(chunks);
  const start = findDataStart(all, dialect, true);
  return { data: all.subarray(start?.dataStart), ended, ratio: bytes / source.bytesRead() };
}

/** All records are counted, and all are rows of the sample where they are few enough. */
async function sampleWhole(
  file: SourceFile,
  description: CsvDescription,
  { rowsMax, bytesMax, seed }: SampleOptions,
  data: Buffer,
): Promise<FileSample> {
  const { columns, dialect } = description;
  const counted = countRecords(description, data);
  if (counted !== null && counted > rowsMax) {
    const { rows } = await sampleBlocks(file, description, inMemory(data), {
      rowsMax,
      bytesMax,
      seed,
    });
    return { columns, rows, fileRows: counted, fileRowsExact: true, complete: false };
  }
  const text = decodeText(file, data, dialect.encoding, false);
  const records = parseText(text, dialect, columns.length, { skip_records_with_error: true });
  const rows = records.filter((record) => record.length === columns.length).slice(0, rowsMax);
  return {
    columns,
    rows,
    fileRows: counted ?? records.length,
    fileRowsExact: true,
    complete: rows.length === (counted ?? records.length),
  };
}

/** Null where only csv-parse can tell. Of a file with a defect, the records before it. */
function countRecords({ dialect, columns, path }: CsvDescription, data: Buffer): number | null {
  if (path === 'rows') return null;
  const state = startScan(dialect, columns.length);
  try {
    scanChunk(state, data);
    finishScan(state);
  } catch (error) {
    if (!(error instanceof ScanProblem)) throw error;
  }
  return state.records;
}

/** Of a compressed file, more cannot be reached without decompressing all before it. */
async function sampleHead(
  file: SourceFile,
  description: CsvDescription,
  options: SampleOptions,
  { data, ratio }: Head,
): Promise<FileSample> {
  const sampled = await sampleBlocks(file, description, inMemory(data), options);
  const fileRows = Math.round((file.bytes * ratio) / sampled.bytesPerRow);
  const { columns } = description;
  return { columns, rows: sampled.rows, fileRows, fileRowsExact: false, complete: false };
}

function inMemory(data: Buffer): DataBytes {
  return {
    start: 0,
    end: data.length,
    read: (offset, bytes) => Promise.resolve(data.subarray(offset, offset + bytes)),
  };
}

async function sampleOnDisk(
  file: SourceFile,
  description: CsvDescription,
  options: SampleOptions,
): Promise<FileSample> {
  const { columns, dialect } = description;
  try {
    await using handle = await open(file.path);
    const read = async (offset: number, bytes: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, offset);
      return buffer.subarray(0, bytesRead);
    };
    const start = findDataStart(await read(0, 2 * LIMITS.headerBytesMax), dialect, true);
    const data: DataBytes = { start: start?.dataStart ?? 0, end: file.bytes, read };
    const sampled = await sampleBlocks(file, description, data, options);
    const fileRows = Math.round((data.end - data.start) / sampled.bytesPerRow);
    return { columns, rows: sampled.rows, fileRows, fileRowsExact: false, complete: false };
  } catch (error) {
    throw error instanceof EtlError ? error : readError(file, error);
  }
}
