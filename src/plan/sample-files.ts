import { present } from '../assert.ts';
import { LIMITS } from '../limits.ts';
import type { FileSample } from '../source/source-file.ts';
import type { TargetType } from '../target/table.ts';
import type { DescribedFile } from './describe-files.ts';
import type { KeyHashes } from './key-runs.ts';
import { isOrdered, isRising, NO_SPAN, spanOf, widened, type KeySpan } from './key-span.ts';
import { mapBounded } from './map-bounded.ts';
import type { PlanContext } from './plan-context.ts';
import { hashText } from './text-hash.ts';

/** Enough to tell bytes per row, where keys are not sampled. */
const ROWS_FOR_ESTIMATE = 200;

export interface FileToSample extends DescribedFile {
  /** The file's columns that make up the key, in the key's order; null: keys are not sampled. */
  readonly keyColumns: readonly string[] | null;
}

export interface SampledFile {
  readonly rows: number;
  readonly rowsExact: boolean;
  readonly span: KeySpan;
  /** Whether the file seems to be sorted by its leading key column, and is sampled in blocks. */
  readonly ordered: boolean;
  /** Whether it is sampled in blocks too, but seems not to be sorted. */
  readonly scattered: boolean;
  /**
   * Whether it seems to be sorted, and besides it seems to rise all the way, with a larger key every few
   * rows.
   */
  readonly rising: boolean;
  /** Hashes of the sampled keys, those with a null left out. */
  readonly keys: KeyHashes;
  /** Whether all rows of the file were sampled. */
  readonly complete: boolean;
  /** Sampled rows whose key has a null. */
  readonly nullKeys: number;
  readonly sampledRows: number;
}

/**
 * Rows of each file that a sample of so many files may take.
 *
 * The limit of a load is what 20 large files get. Of a million rows in 10,000 files, 400,000 take 5.0
 * s of CPU (the server's included) and all take 6.4; what they say of all files together is the same,
 * and units are made of hundreds of such files. What is lost is that all rows need no estimate: keys
 * drawn at random, 2.3 rows each, are taken for 3 (see distinct-keys.ts), as those of large files are.
 */
export function rowsPerFile(files: number): number {
  const share = Math.floor(LIMITS.sampleRowsPerLoadMax / Math.max(1, files));
  return Math.max(1, Math.min(LIMITS.sampleRowsPerFileMax, share));
}

/**
 * How many of so many files, or batches of them, are sampled at the same time: as many as hide the time
 * to read them where each gives few rows, and two where their rows would fill the memory. 1.5
 * million rows in 15 files of JSON, loaded by one thread, peaked at 314 MB by eight, and at 219 by two.
 */
export function filesAtOnce(files: number): number {
  return rowsPerFile(files) * MANY_AT_ONCE > ROWS_AT_ONCE ? 2 : MANY_AT_ONCE;
}

const MANY_AT_ONCE = 8;
const ROWS_AT_ONCE = 40_000;

/**
 * Samples the files and hashes their keys by the database's own equality. Where a value is not even
 * valid for its type, all keys are hashed by their spelling instead, since hashes of two kinds
 * cannot be compared; loading will tell which value it is.
 */
export async function sampleFiles(
  files: readonly FileToSample[],
  keyTypes: readonly TargetType[],
  context: Pick<PlanContext, 'source' | 'catalog' | 'seed'>,
  rowsPerFileMax: number = LIMITS.sampleRowsPerFileMax,
): Promise<SampledFile[]> {
  const rowsMax = Math.min(rowsPerFileMax, rowsPerFile(files.length));
  const sampleBy = (hash: Hasher): Promise<SampledFile[] | null> =>
    sampleAll(files, keyTypes, context, rowsMax, hash);
  const hashable = keyTypes.every((type) => type.hashable);
  const hashed = hashable
    ? await sampleBy((rows) => context.catalog.hashKeys(keyTypes, rows))
    : null;
  return hashed ?? present(await sampleBy(bySpelling), 'the samples');
}

type Hasher = (rows: FileSample['rows']) => Promise<Float64Array | null>;

async function bySpelling(rows: FileSample['rows']): Promise<Float64Array> {
  return Float64Array.from(rows, (key) => hashText(key));
}

/** Null where a key could not be hashed. */
async function sampleAll(
  files: readonly FileToSample[],
  keyTypes: readonly TargetType[],
  context: Pick<PlanContext, 'source' | 'seed'>,
  rowsMax: number,
  hash: Hasher,
): Promise<SampledFile[] | null> {
  const stop = { failed: false };
  const batches = batchesOf(files, rowsMax);
  const sampled = await mapBounded(batches, filesAtOnce(files.length), async (batch) => {
    const one = stop.failed ? null : await sampleBatch(batch, rowsMax, keyTypes[0], context, hash);
    stop.failed ||= one === null;
    return one;
  });
  return stop.failed ? null : sampled.flatMap((batch) => present(batch, 'the batch'));
}

/** Files whose keys are hashed together: a statement for each would cost more than its hashes. */
function batchesOf(files: readonly FileToSample[], rowsMax: number): FileToSample[][] {
  const batches: FileToSample[][] = [];
  const filesMax = Math.ceil(LIMITS.sampleRowsPerFileMax / rowsMax);
  for (let from = 0; from < files.length; from += filesMax) {
    batches.push(files.slice(from, from + filesMax));
  }
  return batches;
}

/** The files of a batch are read one after the other: others are read meanwhile. */
async function sampleBatch(
  batch: readonly FileToSample[],
  rowsMax: number,
  leading: TargetType | undefined,
  context: Pick<PlanContext, 'source' | 'seed'>,
  hash: Hasher,
): Promise<SampledFile[] | null> {
  const taken: { readonly rows: FileSample['rows']; readonly file: UnhashedFile }[] = [];
  for (const file of batch) taken.push(await sampleOne(file, rowsMax, leading, context));
  const rows = taken.flatMap((one) => one.rows);
  const hashes = rows.length === 0 ? new Float64Array(0) : await hash(rows);
  if (hashes === null) return null;
  let from = 0;
  return taken.map(({ rows: { length }, file }) => {
    const keys = hashes.slice(from, from + length).filter((key) => !Number.isNaN(key));
    from += length;
    return { ...file, keys, nullKeys: length - keys.length };
  });
}

type UnhashedFile = Omit<SampledFile, 'keys' | 'nullKeys'>;

/** A file but for the hashes of its sampled keys, and these keys. */
async function sampleOne(
  file: FileToSample,
  rowsMax: number,
  leading: TargetType | undefined,
  context: Pick<PlanContext, 'source' | 'seed'>,
): Promise<{ readonly rows: FileSample['rows']; readonly file: UnhashedFile }> {
  const { description, keyColumns } = file;
  const exactRows = description.kind === 'parquet' ? description.rows : null;
  if (keyColumns === null || leading === undefined) {
    return { rows: [], file: withoutKeys(exactRows ?? (await estimateRows(file, context))) };
  }
  const sample = await context.source.sampleFile(file.file, description, {
    rowsMax,
    // Not the same rows of each file: the estimate takes the samples to be independent.
    seed: context.seed + file.ordinal,
    columns: keyColumns,
  });
  const values = sample.rows.map((key) => key[0] ?? null);
  const inBlocks = mayBeBlocks(file);
  const inOrder = isOrdered(leading, values);
  return {
    rows: sample.rows,
    file: {
      rows: exactRows ?? sample.fileRows,
      rowsExact: exactRows !== null || sample.fileRowsExact,
      span: headOnly(file, sample)
        ? { ...spanOf(leading, values), range: null }
        : await spanOfFile(file, keyColumns[0] ?? '', leading, values, context),
      ordered: inBlocks && inOrder,
      scattered: inBlocks && !inOrder,
      rising: inBlocks && isRising(leading, values),
      complete: sample.complete,
      sampledRows: sample.rows.length,
    },
  };
}

/**
 * Of compressed files, UTF-16 and JSON but for lines, the sample is of the head: it says little of the
 * rest.
 */
function headOnly({ file, description }: DescribedFile, sample: FileSample): boolean {
  if (description.kind === 'parquet' || sample.fileRowsExact) return false;
  if (file.compression !== 'none') return true;
  if (description.kind === 'json') return !description.lines;
  return description.kind === 'csv' && /^utf-?16/i.test(description.dialect.encoding);
}

/** Of small Parquet files rows are drawn one by one; all else is sampled in blocks of neighbours. */
function mayBeBlocks({ file, description }: DescribedFile): boolean {
  return description.kind === 'csv' || file.bytes > LIMITS.sampleBytesPerFileMax;
}

/** The keys' ends: of the sample, and of the whole file where its footer tells. */
async function spanOfFile(
  { file, description }: DescribedFile,
  column: string,
  leading: TargetType,
  values: readonly (string | null)[],
  { source }: Pick<PlanContext, 'source'>,
): Promise<KeySpan> {
  const span = spanOf(leading, values);
  if (description.kind !== 'parquet') return span;
  return widened(span, leading, await source.columnRange(file, description, column));
}

async function estimateRows(
  file: FileToSample,
  { source, seed }: Pick<PlanContext, 'source' | 'seed'>,
): Promise<FileSample> {
  return source.sampleFile(file.file, file.description, {
    rowsMax: ROWS_FOR_ESTIMATE,
    seed,
    columns: file.columns.slice(0, 1),
  });
}

function withoutKeys(rows: number | FileSample): UnhashedFile {
  const exact = typeof rows === 'number';
  return {
    rows: exact ? rows : rows.fileRows,
    rowsExact: exact || rows.fileRowsExact,
    span: NO_SPAN,
    ordered: false,
    scattered: false,
    rising: false,
    complete: false,
    sampledRows: 0,
  };
}
