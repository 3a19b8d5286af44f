import type { ByteSource } from '../compression.ts';

/** The records of a CSV file as input for `COPY … (FORMAT csv)` with the options of `copyFormatOf`. */
export interface CsvStream {
  /**
   * To be iterated once; leaving early closes the file. No header, and a line end at the end. The bytes of
   * a chunk are good until the next one is asked for.
   */
  readonly chunks: AsyncIterable<Buffer>;
  /** After the end of `chunks`. */
  totals(): CsvTotals;
}

export interface CsvTotals {
  /** Data records passed on; COPY must report as many. */
  readonly records: number;
  /** Bytes of the file on disk. */
  readonly bytes: number;
  /** SHA-256 (hex) of the file's bytes on disk. */
  readonly contentHash: string;
  /**
   * Quotes in the middle of fields (`5" by 6"`), in pairs. PostgreSQL takes them for quoting and
   * drops them, which deserves a notice: with csv.quote null they are kept.
   */
  readonly strayQuotes: number;
}

export interface CsvReadOptions {
  readonly signal?: AbortSignal;
  /** After each chunk: records so far, and bytes read from disk. */
  readonly onProgress?: (records: number, bytesOnDisk: number) => void;
}

/** The totals of a source that was read to its end. */
export function totalsOf(
  source: ByteSource,
  counts: () => Pick<CsvTotals, 'records' | 'strayQuotes'>,
): () => CsvTotals {
  let contentHash: string | null = null;
  return () => {
    contentHash ??= source.contentHash();
    const { records, strayQuotes } = counts();
    return { records, bytes: source.bytesRead(), contentHash, strayQuotes };
  };
}
