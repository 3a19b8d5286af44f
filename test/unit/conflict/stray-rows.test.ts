import { describe, expect, it } from 'vitest';
import { RECORD_LANES } from '../../../src/conflict/record-hash.ts';
import { gatherStrays } from '../../../src/conflict/stray-rows.ts';

describe('stray rows', () => {
  it('mark the first of the records that are equal to one, and only that', () => {
    const strays = gatherStrays(6);
    expect([7, 5].every((row) => strays.add(lanesOf(row)))).toBe(true);
    const found = Uint8Array.of(0, 0, 1, 0, 0, 0);
    strays.markIn(lanesOf(5, 5, 7, 7, 9, 7), found);
    expect([...found]).toEqual([1, 0, 1, 1, 0, 0]);
  });

  it('mark a record for each of two equal rows no more than once', () => {
    const strays = gatherStrays(2);
    strays.add(lanesOf(5));
    strays.add(lanesOf(5));
    const found = Uint8Array.of(0, 0);
    strays.markIn(lanesOf(5, 5), found);
    expect([...found]).toEqual([1, 0]);
  });

  it('are no more than some, and one of so many records', () => {
    const strays = gatherStrays(640);
    let taken = 0;
    while (taken < 2_000 && strays.add(lanesOf(taken + 1))) taken++;
    expect(taken).toBe(1_010);
    expect(strays.lanes()).toHaveLength(1_010 * RECORD_LANES);
  });
});

function lanesOf(...rows: readonly number[]): Uint32Array {
  return Uint32Array.from(rows.flatMap((row) => [row, row * 3, row * 5, row * 7]));
}
