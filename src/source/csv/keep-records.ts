import type { CsvDialect } from '../source-file.ts';
import { dialectBytes } from './dialect-bytes.ts';

const LF = 10;

/**
 * The records of a CsvStream that are to be kept, as they stand. `keep` has one byte per record, 1
 * for a record to keep. A single run of a chunk is passed on as it stands; several are copied
 * together, since each piece that is passed on costs more than its bytes.
 */
export async function* keepRecords(
  chunks: AsyncIterable<Buffer>,
  dialect: CsvDialect,
  keep: Uint8Array,
): AsyncGenerator<Buffer> {
  const { quote, escape } = dialectBytes(dialect);
  let record = 0;
  let inQuotes = false;
  let escaped = false;

  /** The byte after the record's end, or -1 where it goes on in the next chunk. */
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
  /** Where the runs of kept records begin and end, by turns. */
  const runsOf = (chunk: Buffer): number[] => {
    const plain = !inQuotes && (quote === -1 || !chunk.includes(quote));
    const runs = keep[record] === 1 ? [0] : [];
    for (let at = 0; at < chunk.length;) {
      const end = plain ? chunk.indexOf(LF, at) + 1 : quotedEnd(chunk, at);
      if (end <= 0) break;
      at = end;
      record += 1;
      if ((keep[record] === 1) !== (runs.length % 2 === 1)) runs.push(at);
    }
    if (runs.length % 2 === 1) runs.push(chunk.length);
    return runs;
  };

  for await (const chunk of chunks) {
    const kept = joined(chunk, runsOf(chunk));
    if (kept.length > 0) yield kept;
  }
}

function joined(chunk: Buffer, runs: readonly number[]): Buffer {
  if (runs.length <= 2) return chunk.subarray(runs[0] ?? 0, runs[1] ?? 0);
  const kept = Buffer.allocUnsafeSlow(chunk.length);
  let length = 0;
  for (let run = 0; run < runs.length; run += 2) {
    length += chunk.copy(kept, length, runs[run], runs[run + 1]);
  }
  return kept.subarray(0, length);
}
