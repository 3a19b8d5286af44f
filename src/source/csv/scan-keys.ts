import type { CsvDescription, CsvDialect, FileDescription } from '../source-file.ts';

/**
 * Hashes the key of each record from the bytes of a CsvStream, whatever the chunk borders: one pass
 * over the bytes, nothing per record but the key. Each field is hashed with its place in the key,
 * and the hashes are added, so that files with another order of columns agree. A record one of
 * whose key fields is empty (NULL) has the hash zero.
 */
export interface KeyScan {
  push(chunk: Buffer): void;
  /** Four 32-bit lanes per record. */
  end(): Uint32Array;
}

/** Whether keys can be read from the file's bytes: the byte path, with NULL as the empty field. */
export function hasScannableKeys(description: FileDescription): description is CsvDescription {
  return (
    description.kind === 'csv' && description.path === 'bytes' && description.dialect.null === ''
  );
}

const LF = 10;

/** Odd multipliers of the four lanes (those of murmur3 and xxhash, well spread). */
const MULTIPLIERS = [0xcc9e2d51, 0x1b873593, 0x9e3779b1, 0x85ebca77] as const;

export function createKeyScan(
  dialect: CsvDialect,
  keyFields: readonly number[],
  seed: Uint32Array,
): KeyScan {
  const quote = dialect.quote === null ? -1 : dialect.quote.charCodeAt(0);
  const escape =
    dialect.escape === null || dialect.escape === dialect.quote ? -1 : dialect.escape.charCodeAt(0);
  const delimiter = dialect.delimiter.charCodeAt(0);
  /** By field of the file: its place in the key, from 1; 0 where it is not part of it. */
  const places = new Uint8Array(Math.max(...keyFields) + 2);
  keyFields.forEach((field, place) => (places[field] = place + 1));
  const lastKey = Math.max(...keyFields);
  const [s0 = 1, s1 = 2, s2 = 3, s3 = 4] = seed;
  const [m0, m1, m2, m3] = MULTIPLIERS;
  let lanes = new Uint32Array(4 * 1024);
  let used = 0;
  let field = 0;
  let fieldBytes = 0;
  let empty = false;
  let inQuotes = false;
  let escaped = false;
  const sums: [number, number, number, number] = [0, 0, 0, 0];
  let a = s0;
  let b = s1;
  let c = s2;
  let d = s3;

  const endField = (): void => {
    const place = places[field] ?? 0;
    if (place !== 0) {
      if (fieldBytes === 0) empty = true;
      mix(255 + place);
      sums[0] += finished(a ^ d);
      sums[1] += finished(b ^ Math.imul(a, m2));
      sums[2] += finished(c ^ Math.imul(b, m3));
      sums[3] += finished(d ^ Math.imul(c, m0));
      a = s0;
      b = s1;
      c = s2;
      d = s3;
    }
    field += 1;
    fieldBytes = 0;
  };
  const mix = (byte: number): void => {
    a = Math.imul(((a ^ byte) << 15) | ((a ^ byte) >>> 17), m0);
    b = Math.imul(((b ^ byte) << 13) | ((b ^ byte) >>> 19), m1);
    c = Math.imul(((c ^ byte) << 17) | ((c ^ byte) >>> 15), m2);
    d = Math.imul(((d ^ byte) << 11) | ((d ^ byte) >>> 21), m3);
  };
  const endRecord = (): void => {
    if (field <= lastKey) endField();
    if (used === lanes.length) {
      const more = new Uint32Array(lanes.length * 2);
      more.set(lanes);
      lanes = more;
    }
    if (!empty && field > lastKey) {
      // Typed arrays keep the sums' lower 32 bits.
      lanes[used] = sums[0];
      lanes[used + 1] = sums[1];
      lanes[used + 2] = sums[2];
      lanes[used + 3] = sums[3];
    }
    used += 4;
    field = 0;
    fieldBytes = 0;
    empty = false;
    sums[0] = sums[1] = sums[2] = sums[3] = 0;
  };

  return {
    push: (chunk) => {
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at] ?? 0;
        if (inQuotes) {
          if (escaped) escaped = false;
          else if (byte === escape) escaped = true;
          else if (byte === quote) inQuotes = false;
        } else if (byte === delimiter) {
          if (field <= lastKey) endField();
          continue;
        } else if (byte === LF) {
          endRecord();
          continue;
        } else if (byte === quote) {
          inQuotes = true;
        }
        if (field > lastKey) {
          // Past the key only line ends and quotes matter: jump to the next of them.
          if (inQuotes) continue;
          const next = chunk.indexOf(LF, at + 1);
          const stop = next === -1 ? chunk.length : next;
          const quoted = quote === -1 ? -1 : nextQuote(chunk, at + 1, stop, quote);
          at = (quoted === -1 ? stop : quoted) - 1;
        } else if (places[field] !== 0) {
          fieldBytes += 1;
          mix(byte);
        } else {
          fieldBytes += 1;
        }
      }
    },
    end: () => lanes.slice(0, used),
  };
}

function nextQuote(chunk: Buffer, from: number, to: number, quote: number): number {
  for (let at = from; at < to; at++) if (chunk[at] === quote) return at;
  return -1;
}

/** murmur3's finaliser: every bit of the input reaches every bit of the output. */
function finished(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
