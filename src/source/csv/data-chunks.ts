import type { CsvDialect } from '../source-file.ts';
import { findDataStart } from './data-start.ts';

/** Where the data of a file begins, as far as its bytes have been passed over. */
export interface PassedHead {
  /** Bytes before the first data record. */
  bytes: number;
  /** Line ends among them. */
  lines: number;
}

/** The bytes after mark, skipped lines and header, and in `passed` what these were. */
export async function* withoutHead(
  chunks: AsyncIterable<Buffer>,
  dialect: CsvDialect,
  passed: PassedHead,
): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const start = findDataStart(head, dialect, false);
    if (start === null) {
      // The chunk's own bytes are good until the next one only.
      if (head === chunk) head = Buffer.from(chunk);
      continue;
    }
    passed.bytes = start.dataStart;
    passed.lines = countLineEnds(head.subarray(0, start.dataStart));
    yield head.subarray(start.dataStart);
    head = null;
  }
  // Else the file is a header without a line end, or less: no records.
}

/** The bytes from an offset on, behind a line end, and in `passed` what comes before it. */
export async function* bytesFrom(
  chunks: AsyncIterable<Buffer>,
  from: number,
  passed: PassedHead,
): AsyncGenerator<Buffer> {
  let lineFeeds = 0;
  let carriageReturns = 0;
  for await (const chunk of chunks) {
    const before = chunk.subarray(0, from - passed.bytes);
    passed.bytes += before.length;
    lineFeeds += countByte(before, 10);
    carriageReturns += countByte(before, 13);
    passed.lines = lineFeeds || carriageReturns;
    if (before.length < chunk.length) yield chunk.subarray(before.length);
  }
}

/** CR LF counts once. Bytes without any LF end their lines in CR alone. */
export function countLineEnds(bytes: Buffer): number {
  return countByte(bytes, 10) || countByte(bytes, 13);
}

export function countByte(bytes: Buffer, byte: number): number {
  let count = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) count++;
  return count;
}
