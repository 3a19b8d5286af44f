import type { CsvDialect } from '../source-file.ts';

const LF = 10;

/**
 * The records of a CsvStream that are to be kept, as they stand: runs of kept records are passed on
 * as one piece of the chunk. `keep` has one byte per record, 1 for a record to keep.
 */
export async function* keepRecords(
  chunks: AsyncIterable<Buffer>,
  dialect: CsvDialect,
  keep: Uint8Array,
): AsyncGenerator<Buffer> {
  const quote = dialect.quote === null ? -1 : dialect.quote.charCodeAt(0);
  const escape =
    dialect.escape === null || dialect.escape === dialect.quote ? -1 : dialect.escape.charCodeAt(0);
  let record = 0;
  let inQuotes = false;
  let escaped = false;

  /** The byte after the record's end, or -1 where it goes on in the next chunk. */
  const recordEnd = (chunk: Buffer, from: number): number => {
    const end = chunk.indexOf(LF, from);
    const stop = end === -1 ? chunk.length : end;
    if (quote !== -1) {
      const first = inQuotes ? from : chunk.subarray(from, stop).indexOf(quote);
      if (first !== -1) return quotedEnd(chunk, from);
    }
    return end === -1 ? -1 : end + 1;
  };
  const quotedEnd = (chunk: Buffer, from: number): number => {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (escaped) escaped = false;
      else if (inQuotes && byte === escape) escaped = true;
      else if (byte === quote) inQuotes = !inQuotes;
      else if (byte === LF && !inQuotes) return at + 1;
    }
    return -1;
  };

  for await (const chunk of chunks) {
    let at = 0;
    let runFrom = 0;
    let keeping = keep[record] === 1;
    while (at < chunk.length) {
      const end = recordEnd(chunk, at);
      at = end === -1 ? chunk.length : end;
      if (end === -1) break;
      record += 1;
      const next = keep[record] === 1;
      if (next === keeping) continue;
      if (keeping) yield chunk.subarray(runFrom, at);
      keeping = next;
      runFrom = at;
    }
    if (keeping && runFrom < chunk.length) yield chunk.subarray(runFrom);
  }
}
