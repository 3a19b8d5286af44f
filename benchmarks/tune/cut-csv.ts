import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { decompressed } from '../../src/source/compression.ts';
import { findDataStart } from '../../src/source/csv/data-start.ts';
import { boundaryOf, scanChunk } from '../../src/source/csv/scan-records.ts';
import { ScanProblem, startScan } from '../../src/source/csv/scan-state.ts';
import type { CsvDescription, SourceFile } from '../../src/source/source-file.ts';

/**
 * Writes the first records of a file, at most `bytesMax` uncompressed bytes with the header, cut at
 * the end of a record and gzipped where the file is. False where no such place is found.
 */
export async function cutCsv(
  file: SourceFile,
  { dialect, columns }: CsvDescription,
  bytesMax: number,
  target: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const head = await firstBytes(file, bytesMax, signal);
  const start = findDataStart(head, dialect, false);
  if (start === null) return false;
  const records = recordBytes(head.subarray(start.dataStart), { dialect, columns });
  if (records === 0) return false;
  const cut = head.subarray(0, start.dataStart + records);
  await writeFile(target, file.compression === 'gzip' ? await promisify(gzip)(cut) : cut);
  return true;
}

async function firstBytes(
  file: SourceFile,
  bytesMax: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of decompressed(file, signal === undefined ? {} : { signal }).chunks) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bytesMax);
}

/** Bytes up to the end of the last whole record. */
function recordBytes(
  data: Buffer,
  { dialect, columns }: Pick<CsvDescription, 'dialect' | 'columns'>,
): number {
  const state = startScan(dialect, columns.length);
  try {
    scanChunk(state, data);
  } catch (error) {
    if (error instanceof ScanProblem) return 0;
    throw error;
  }
  return boundaryOf(state);
}
