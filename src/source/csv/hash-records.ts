import { hashRecord, RECORD_LANES } from '../../conflict/record-hash.ts';
import { LIMITS } from '../../limits.ts';
import type { CsvDialect } from '../source-file.ts';
import { dialectBytes } from './dialect-bytes.ts';
import { createKeyHashes, type KeyField } from './hash-keys.ts';

/** Records of one push, in their order. The arrays are used again by the next push. */
export interface HashedRecords {
  readonly count: number;
  /** Four 32-bit lanes a record, of all its bytes but the line end. */
  readonly lanes: Uint32Array;
  /** Two 32-bit lanes a record, of the values of its key; empty without key fields. */
  readonly keys: Uint32Array;
  /** 1 where the key is spelled so that other bytes would be another key. */
  readonly plain: Uint8Array;
}

/**
 * Hashes the records of a CsvStream, or of COPY TO in the same format, whole and as they stand. Where
 * the first line ends in CR LF each must: one that does not has the hash of zeros, which stands for
 * "equal to no other record", as such a file is refused.
 */
export interface RecordHashes {
  push(chunk: Buffer): HashedRecords;
  /** Bytes of a record that was begun and not ended, so far. */
  readonly open: () => number;
  /** Smallest and largest value of the first key field, where it is an integer; null of no such. */
  readonly range: () => { readonly min: number; readonly max: number } | null;
}

const LF = 10;
const EMPTY = Buffer.alloc(0);
const CR = 13;

export function createRecordHashes(
  dialect: CsvDialect,
  keyFields: readonly KeyField[],
  seed: Uint32Array,
): RecordHashes {
  const { quote, escape } = dialectBytes(dialect);
  const keys = keyFields.length === 0 ? null : createKeyHashes(dialect, keyFields, seed);
  let rest: Buffer = EMPTY;
  let crlf: boolean | null = null;
  let records = 0;
  let room = roomFor(1024);
  let count = 0;

  /** Hashes the records that end in these bytes; the offset of the one that does not. */
  const hashAll = (bytes: Buffer): number => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let start = 0;
    let nextQuote = quote === -1 ? -1 : bytes.indexOf(quote);
    for (;;) {
      let end = bytes.indexOf(LF, start);
      if (nextQuote !== -1 && nextQuote < start) nextQuote = bytes.indexOf(quote, start);
      const quoted = nextQuote !== -1 && (end === -1 || nextQuote < end);
      if (quoted) end = quotedEnd(bytes, start, quote, escape);
      if (end === -1) return start;
      if (count === room.plain.length) room = doubled(room);
      const { lanes } = room;
      const endsInCr = end > start && bytes[end - 1] === CR;
      crlf ??= endsInCr;
      const to = crlf ? end - 1 : end;
      if (crlf !== endsInCr) lanes.fill(0, count * RECORD_LANES, (count + 1) * RECORD_LANES);
      else hashRecord(view, start, to, seed, lanes, count * RECORD_LANES);
      if (keys !== null) {
        const isPlain = keys.hash(bytes, start, to, quoted, room.keys, count * 2);
        room.plain[count] = isPlain ? 1 : 0;
      }
      count += 1;
      start = end + 1;
    }
  };
  /** The record that was begun before: only its own bytes are copied, where a line end ends it. */
  const endRest = (chunk: Buffer): Buffer => {
    const end = chunk.indexOf(LF) + 1;
    const record = Buffer.concat([rest, chunk.subarray(0, end)]);
    return end > 0 && hashAll(record) === record.length
      ? chunk.subarray(end)
      : Buffer.concat([rest, chunk]);
  };

  return {
    push: (chunk) => {
      count = 0;
      const bytes = rest.length === 0 ? chunk : endRest(chunk);
      const start = hashAll(bytes);
      // A copy: whoever reads the file may use its memory again.
      rest = start === bytes.length ? EMPTY : Buffer.from(bytes.subarray(start));
      records += count;
      return { count, ...room };
    },
    open: () => rest.length,
    range: () => (records === 0 ? null : (keys?.range() ?? null)),
  };
}

/** Longer records are not compared: each chunk would copy what is there of them. */
export function isTooLong({ open }: RecordHashes): boolean {
  return open() > LIMITS.comparedRecordBytesMax;
}

/** The line end outside quotes, or -1. */
function quotedEnd(bytes: Buffer, from: number, quote: number, escape: number): number {
  let inQuotes = false;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inQuotes && byte === escape) at += 1;
    else if (byte === quote) inQuotes = !inQuotes;
    else if (byte === LF && !inQuotes) return at;
  }
  return -1;
}

type RecordRoom = Omit<HashedRecords, 'count'>;

function roomFor(records: number): RecordRoom {
  return {
    lanes: new Uint32Array(RECORD_LANES * records),
    keys: new Uint32Array(2 * records),
    plain: new Uint8Array(records),
  };
}

function doubled({ lanes, keys, plain }: RecordRoom): RecordRoom {
  const more = roomFor(2 * plain.length);
  more.lanes.set(lanes);
  more.keys.set(keys);
  more.plain.set(plain);
  return more;
}
