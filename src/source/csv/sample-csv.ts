import { open } from 'node:fs/promises';
import { EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { decompressed, readError } from '../compression.ts';
import type { ByteSource } from '../compression.ts';
import type { CsvDescription, CsvDialect, FileSample, SourceFile } from '../source-file.ts';
import { againInOneRead, inOneRead, isSmall } from '../in-one-read.ts';
import { findDataStart } from './data-start.ts';
import { sampleBlocks } from './sample-blocks.ts';
import type { DataBytes } from './sample-blocks.ts';
import { fieldsOf, sampleRows } from './sample-rows.ts';
import type { SampledColumns } from './sample-rows.ts';
import { finishScan, scanChunk } from './scan-records.ts';
import { ScanProblem, startScan } from './scan-state.ts';
import { isUtf16, toUtf8 } from './text-encoding.ts';

export interface SampleOptions {
  readonly rowsMax: number;
  /** Bytes read of the file, or of a compressed one decompressed, at most (roughly). */
  readonly bytesMax: number;
  /** The same seed and file give the same sample. */
  readonly seed: number;
  /** Columns wanted, in the order wanted, each once; all of the file by default. */
  readonly columns?: readonly string[];
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
  const columns = options.columns ?? description.columns;
  const fields = fieldsOf(description, columns);
  const found =
    file.bytes > options.bytesMax && !headOnly
      ? await sampleOnDisk({ file, description, fields }, options)
      : await sampleStart({ file, description, fields }, options);
  return { columns, ...found };
}

type SampledRows = Omit<FileSample, 'columns'>;

async function sampleStart(sampled: SampledColumns, options: SampleOptions): Promise<SampledRows> {
  const head = await readHead(sampled.file, sampled.description.dialect, options.bytesMax);
  const text = { ...sampled, description: utf8Where16(sampled.description) };
  return head.ended ? sampleWhole(text, options, head.data) : sampleHead(text, options, head);
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
  const source = openHead(file, bytesMax);
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
  const all = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  const start = findDataStart(all, dialect, true);
  return { data: all.subarray(start?.dataStart), ended, ratio: bytes / source.bytesRead() };
}

function openHead(file: SourceFile, bytesMax: number): Pick<ByteSource, 'chunks' | 'bytesRead'> {
  if (file.compression !== 'none' || file.bytes > bytesMax) {
    return decompressed(file, { readBytes: Math.ceil(bytesMax / 128) });
  }
  // It was described a moment ago.
  const chunks = isSmall(file) ? againInOneRead(file) : inOneRead(file);
  return { chunks, bytesRead: () => file.bytes };
}

/** All records are counted, and all are rows of the sample where they are few enough. */
async function sampleWhole(
  sampled: SampledColumns,
  options: SampleOptions,
  data: Buffer,
): Promise<SampledRows> {
  const counted = countRecords(sampled.description, data);
  if (counted !== null && counted > options.rowsMax) {
    const { rows } = await sampleBlocks(sampled, inMemory(data), options);
    return { rows, fileRows: counted, fileRowsExact: true, complete: false };
  }
  const { rows: all, records } = sampleRows(sampled, data);
  const rows = all.slice(0, options.rowsMax);
  const fileRows = counted ?? records;
  return { rows, fileRows, fileRowsExact: true, complete: rows.length === fileRows };
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
  sampled: SampledColumns,
  options: SampleOptions,
  { data, ratio }: Head,
): Promise<SampledRows> {
  const { rows, bytesPerRow } = await sampleBlocks(sampled, inMemory(data), options);
  const fileRows = Math.round((sampled.file.bytes * ratio) / bytesPerRow);
  return { rows, fileRows, fileRowsExact: false, complete: false };
}

function inMemory(data: Buffer): DataBytes {
  return {
    start: 0,
    end: data.length,
    read: (offset, bytes) => Promise.resolve(data.subarray(offset, offset + bytes)),
  };
}

/** What nearly every header ends in, so that megabytes are read for the others only. */
const HEAD_BYTES = 64 * 1024;

async function sampleOnDisk(sampled: SampledColumns, options: SampleOptions): Promise<SampledRows> {
  const { file, description } = sampled;
  try {
    await using handle = await open(file.path);
    // One for all that is read: rows are made of a block before the next is read.
    let into = Buffer.allocUnsafe(HEAD_BYTES);
    const read = async (offset: number, bytes: number): Promise<Buffer> => {
      if (into.length < bytes) into = Buffer.allocUnsafe(bytes);
      const { bytesRead } = await handle.read(into, 0, bytes, offset);
      return into.subarray(0, bytesRead);
    };
    const start =
      findDataStart(await read(0, HEAD_BYTES), description.dialect, false) ??
      findDataStart(await read(0, 2 * LIMITS.headerBytesMax), description.dialect, true);
    const dataStart = start?.dataStart ?? 0;
    const { rows, bytesPerRow } = await sampleBlocks(
      sampled,
      { start: dataStart, end: file.bytes, read },
      options,
    );
    const fileRows = Math.round((file.bytes - dataStart) / bytesPerRow);
    return { rows, fileRows, fileRowsExact: false, complete: false };
  } catch (error) {
    throw error instanceof EtlError ? error : readError(file, error);
  }
}
