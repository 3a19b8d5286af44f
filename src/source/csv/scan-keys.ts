import type { CsvDescription, CsvDialect, FileDescription } from '../source-file.ts';
import { dialectBytes, type DialectBytes } from './dialect-bytes.ts';
import { createKeyLanes, type KeyLanes } from './key-lanes.ts';

/**
 * Reads the key of each record from the bytes of a CsvStream, whatever the chunk borders: one pass
 * over the bytes, nothing per record but the key. Keys are compared as they are spelled, quotes
 * included. A record one of whose key fields is empty (NULL) has no key.
 *
 * 1.5 million records of 78 bytes, with a key of one to six bytes in front: 0.15 s of CPU. Without a
 * quote in the chunk the fields of the key are read and the rest of a record is passed over by
 * Buffer.indexOf, 40 ns of it; with one, every byte is looked at: 0.45 s. Each byte of a key mixed into
 * four lanes, and quotes looked for in each record: 0.33 and 0.5 s.
 */
export interface KeyScan {
  push(chunk: Buffer): void;
  /** Four 32-bit lanes per record; see key-lanes.ts. */
  end(): Uint32Array;
}

/** Whether keys can be read from the file's bytes: the byte path, with NULL as the empty field. */
export function hasScannableKeys(description: FileDescription): description is CsvDescription {
  return (
    description.kind === 'csv' && description.path === 'bytes' && description.dialect.null === ''
  );
}

const LF = 10;

export function createKeyScan(
  dialect: CsvDialect,
  keyFields: readonly number[],
  seed: Uint32Array,
): KeyScan {
  const bytes = dialectBytes(dialect);
  const { delimiter, quote, escape } = bytes;
  const places = keyPlaces(keyFields);
  const lastKey = Math.max(...keyFields);
  const lanes = createKeyLanes(keyFields.length, seed);
  const torn = createTornRecord(bytes, places, lastKey, lanes);

  /** The byte after the end of a record that begins here, or -1: it goes on in the next chunk. */
  const wholeRecord = (chunk: Buffer, start: number, plain: boolean): number => {
    let at = start;
    for (let column = 0; column <= lastKey; column++) {
      const from = at;
      at = plain ? plainEnd(chunk, at, delimiter) : quotedEnd(chunk, at, delimiter, quote, escape);
      if (at === chunk.length) return -1;
      const place = places[column] as number;
      if (place !== 0) lanes.addField(chunk, from, at, place - 1);
      if (chunk[at] === LF && column < lastKey) {
        lanes.endWithout();
        return at + 1;
      }
      if (column < lastKey) at++;
    }
    const end = plain ? chunk.indexOf(LF, at) : quotedEnd(chunk, at, LF, quote, escape);
    if (end === -1 || end === chunk.length) return -1;
    lanes.endRecord();
    return end + 1;
  };

  return {
    push: (chunk) => {
      let at = torn.isOpen() ? torn.push(chunk, 0) : 0;
      const plain = quote === -1 || !chunk.includes(quote, at);
      while (at < chunk.length) {
        const next = wholeRecord(chunk, at, plain);
        if (next === -1) lanes.dropRecord();
        at = next === -1 ? torn.push(chunk, at) : next;
      }
    },
    end: () => lanes.all(),
  };
}

/** By field of the file: its place in the key, from 1; 0 where it is not part of it. */
function keyPlaces(keyFields: readonly number[]): Uint8Array {
  const places = new Uint8Array(Math.max(...keyFields) + 2);
  keyFields.forEach((field, place) => (places[field] = place + 1));
  return places;
}

/** A record that began in an earlier chunk or ends in a later one, read byte by byte. */
interface TornRecord {
  isOpen(): boolean;
  /** Reads on from `start`; the byte after the record, or the chunk's length. */
  push(chunk: Buffer, start: number): number;
}

function createTornRecord(
  { delimiter, quote, escape }: DialectBytes,
  places: Uint8Array,
  lastKey: number,
  lanes: KeyLanes,
): TornRecord {
  let open = false;
  /** The field that is being read, and its bytes where it belongs to the key. */
  let field = 0;
  let held = Buffer.alloc(64);
  let heldBytes = 0;
  let inQuotes = false;
  let escaped = false;

  const push = (chunk: Buffer, start: number): number => {
    open = true;
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (inQuotes) {
        if (escaped) escaped = false;
        else if (byte === escape) escaped = true;
        else if (byte === quote) inQuotes = false;
      } else if (byte === delimiter || byte === LF) {
        endField();
        if (byte === delimiter) continue;
        endRecord();
        return at + 1;
      } else if (byte === quote) {
        inQuotes = true;
      }
      if (field <= lastKey && places[field] !== 0) hold(byte);
    }
    return chunk.length;
  };
  const hold = (byte: number): void => {
    if (heldBytes === held.length) held = Buffer.concat([held], held.length * 2);
    held[heldBytes++] = byte;
  };
  const endField = (): void => {
    const place = places[field] ?? 0;
    if (place !== 0) lanes.addField(held, 0, heldBytes, place - 1);
    heldBytes = 0;
    field += 1;
  };
  const endRecord = (): void => {
    if (field > lastKey) lanes.endRecord();
    else lanes.endWithout();
    field = 0;
    open = false;
  };
  return { isOpen: () => open, push };
}

/** The delimiter or line end at or after `at`; the chunk's length where there is none. */
function plainEnd(chunk: Buffer, at: number, delimiter: number): number {
  let end = at;
  while (end < chunk.length && chunk[end] !== delimiter && chunk[end] !== LF) end++;
  return end;
}

/** The same, outside quotes; with LF for the delimiter the end of the record. */
function quotedEnd(
  chunk: Buffer,
  at: number,
  delimiter: number,
  quote: number,
  escape: number,
): number {
  let inQuotes = false;
  for (let end = at; end < chunk.length; end++) {
    const byte = chunk[end];
    if (!inQuotes) {
      if (byte === delimiter || byte === LF) return end;
      if (byte === quote) inQuotes = true;
    } else if (byte === escape) {
      end++;
    } else if (byte === quote) {
      inQuotes = false;
    }
  }
  return chunk.length;
}
