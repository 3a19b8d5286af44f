import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isUtf16 } from '../../src/source/csv/text-encoding.ts';
import type { FilePlan, LoadPlan } from '../../src/plan/plan-types.ts';
import { formatBytes, formatCounted } from '../../src/report/format.ts';
import { cutCsv } from './cut-csv.ts';

/** Files of one load's sample. */
const FILES_MAX = 1_000;
/** Enough for as many workers as are worth trying on most machines. */
const FILES_WANTED = 16;
/** What is taken of a large file: enough for a unit of work, less where the sample is small. */
const PIECE_BYTES_MIN = 64 * 1024;
const PIECE_BYTES_MAX = 8 * 1024 * 1024;

export interface SampleFiles {
  /** In order of precedence. Small files are the user's own, which are only read. */
  readonly paths: readonly string[];
  readonly bytes: number;
  readonly notices: readonly string[];
}

/**
 * A sample of a load's files, of about `bytesMax`: files at even distances in precedence, the small
 * ones whole, of the large ones the first records, written to `folder`. A Parquet file cannot be
 * cut (its footer says where everything is), so a large one is left out, or taken whole where all
 * are large.
 */
export async function sampleFiles(
  load: LoadPlan,
  bytesMax: number,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<SampleFiles> {
  const picked = pick(load.files, bytesMax);
  const share = Math.max(1, Math.floor(bytesMax / Math.max(1, picked.length)));
  const paths: string[] = [];
  const leftOut: FilePlan[] = [];
  for (const file of picked) {
    signal?.throwIfAborted();
    const path = await sampleOf(file, share, folder, signal);
    if (path === null) leftOut.push(file);
    else paths.push(path);
  }
  const smallest = leftOut.toSorted((a, b) => a.bytes - b.bytes)[0];
  if (paths.length === 0 && smallest !== undefined) paths.push(smallest.path);
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { paths, bytes, notices: noticesOf(load, paths.length, bytes, leftOut.length) };
}

/** As many files as the bytes are worth, at even distances. */
function pick(files: readonly FilePlan[], bytesMax: number): FilePlan[] {
  const piece = Math.max(PIECE_BYTES_MIN, Math.min(PIECE_BYTES_MAX, bytesMax / FILES_WANTED));
  const bytes = files.reduce((sum, file) => sum + Math.min(file.bytes, piece), 0);
  const average = Math.max(1, bytes / Math.max(1, files.length));
  const wanted = Math.max(Math.min(2, files.length), Math.floor(bytesMax / average));
  const count = Math.min(wanted, files.length, FILES_MAX);
  return Array.from(
    { length: count },
    (_, place) => files[Math.floor((place * files.length) / count)],
  ).filter((file) => file !== undefined);
}

/** Null: too large, and not to be cut. */
async function sampleOf(
  file: FilePlan,
  bytesMax: number,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  // Text compresses to about a quarter; what is measured is the text.
  const inflation = file.compression === 'none' ? 1 : 4;
  if (file.bytes * inflation <= bytesMax) return file.path;
  const { description } = file;
  if (description.kind !== 'csv' || isUtf16(description.dialect.encoding)) return null;
  // Files of different folders may have one name; and a cut file is written without zstd.
  const name = basename(file.path).replace(/\.zst$/i, '');
  const target = join(folder, `${file.ordinal}-${name}`);
  return (await cutCsv(file, description, bytesMax, target, signal)) ? target : null;
}

function noticesOf(
  { table, files }: LoadPlan,
  taken: number,
  bytes: number,
  leftOut: number,
): string[] {
  const all = files.reduce((sum, file) => sum + file.bytes, 0);
  const notices: string[] = [];
  if (bytes < all) {
    notices.push(
      `${table.sqlName}: the sample has ${formatBytes(bytes)} of ${formatBytes(all)}, from ${taken} of ${formatCounted(files.length, 'file')}.`,
    );
  }
  if (leftOut > 0) {
    notices.push(
      `${table.sqlName}: ${formatCounted(leftOut, 'chosen file')} could not be cut (Parquet, UTF-16, very long records).`,
    );
  }
  return notices;
}
