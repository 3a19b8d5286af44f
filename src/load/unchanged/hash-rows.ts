import { hashRecord, RECORD_LANES } from '../../conflict/record-hash.ts';
import { LIMITS } from '../../limits.ts';
import type { TakeBytes } from '../../target/take-bytes.ts';

/**
 * Hashes the rows of a COPY TO in the format of the files as source/csv/hash-records.ts does their
 * records: all bytes but the line end, which here is always LF. Rows that are too long to be compared
 * are not told. `onRow` finds the lanes of the row from their first on.
 */
export function hashRows(seed: Uint32Array, onRow: (lanes: Uint32Array) => void): TakeBytes {
  const lanes = new Uint32Array(RECORD_LANES);
  let viewed: Buffer | null = null;
  let view: DataView = new DataView(new ArrayBuffer(0));
  let pieces: Buffer[] = [];
  let bytesBefore = 0;

  const hash = (bytes: Buffer, from: number, to: number): void => {
    if (bytes !== viewed) {
      viewed = bytes;
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    hashRecord(view, from, to - 1, seed, lanes, 0);
    onRow(lanes);
  };
  return (bytes, from, to, ends) => {
    if (ends && bytesBefore === 0) {
      hash(bytes, from, to);
      return;
    }
    bytesBefore += to - from;
    const fits = bytesBefore <= LIMITS.comparedRecordBytesMax;
    if (fits) pieces.push(Buffer.from(bytes.subarray(from, to)));
    else pieces = [];
    if (!ends) return;
    if (fits) hash(Buffer.concat(pieces), 0, bytesBefore);
    pieces = [];
    bytesBefore = 0;
  };
}
