import { expect, it } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import { hashRows } from '../../../../src/load/unchanged/hash-rows.ts';
import { createRecordHashes } from '../../../../src/source/csv/hash-records.ts';
import { PLAIN_DIALECT } from '../../../../src/source/csv/plain-dialect.ts';

const SEED = Uint32Array.of(1, 2, 3, 4);
const RECORDS = ['1,a', '2,"a\nb"', '3,', `4,${'x'.repeat(100)}`, '5,é'];

it.each([1, 2, 5, 1_000])('rows in pieces of %i bytes have the hashes of such records', (size) => {
  const bytes = Buffer.from(RECORDS.map((record) => `${record}\r\n`).join(''));
  const { count, lanes } = createRecordHashes(PLAIN_DIALECT, [], SEED).push(bytes);
  const found: number[] = [];
  const take = hashRows(SEED, (row) => found.push(...row));
  for (const record of RECORDS) {
    // Behind other bytes, and in memory that is used again.
    const row = Buffer.from(`####${record}\n`);
    for (let from = 4; from < row.length; from += size) {
      const to = Math.min(row.length, from + size);
      const lent = Buffer.from(row);
      take(lent, from, to, to === row.length);
      lent.fill(0);
    }
  }
  expect(count).toBe(RECORDS.length);
  expect(found).toEqual([...lanes.subarray(0, count * 4)]);
});

it('a row that is too long is not told, and those behind it are', () => {
  let told = 0;
  const take = hashRows(SEED, () => (told += 1));
  const piece = Buffer.alloc(LIMITS.comparedRecordBytesMax / 2 + 1, 'x');
  take(piece, 0, piece.length, false);
  take(piece, 0, piece.length, true);
  expect(told).toBe(0);
  take(Buffer.from('1,a\n'), 0, 4, true);
  expect(told).toBe(1);
});
