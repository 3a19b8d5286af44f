import { expect, it } from 'vitest';
import { createFileOrder } from '../../../src/conflict/file-order.ts';

const ROWS = 20_000;
const HALF = ROWS / 2;

/** Rows of the table that are in no file's order; `order` is that of their records. */
function strays(order: readonly number[]): number {
  const lanes = Uint32Array.from({ length: ROWS * 4 }, (_, lane) => Math.floor(lane / 4) + 1);
  const found = new Uint8Array(ROWS);
  const files = createFileOrder({ counts: [HALF, HALF], lanes }, found);
  return order.filter((record) => {
    const row = lanes.subarray(record * 4, record * 4 + 4);
    return !files.markNext(row) && !files.markNear(row);
  }).length;
}

/** Pages of 50 rows of the one file and of the other by turns. */
const PAGES = Array.from({ length: HALF / 50 }, (_, page) => page * 50).flatMap((at) =>
  [at, HALF + at].flatMap((from) => Array.from({ length: 50 }, (_, row) => from + row)),
);

it('follows files that two workers brought', () => {
  expect(strays(PAGES)).toBe(0);
});

it('goes on where it was behind a row that lies in an earlier page, of either file', () => {
  const early = (record: number): number =>
    PAGES.indexOf(record) - (record % 700 === 0 ? 500 : 0.5);
  const rank = new Map(PAGES.map((record) => [record, early(record)]));
  const order = PAGES.toSorted((one, other) => (rank.get(one) ?? 0) - (rank.get(other) ?? 0));
  expect(strays(order)).toBe(0);
});

it('goes on behind a row that lies far away', () => {
  const order = PAGES.filter((record) => record % 4_000 !== 50);
  const far = PAGES.filter((record) => record % 4_000 === 50);
  expect(strays([...order.slice(0, 10), ...far, ...order.slice(10)])).toBeLessThanOrEqual(
    far.length,
  );
});

it('gives up where there is no order, within a bound', () => {
  expect(strays(PAGES.toReversed())).toBeGreaterThan(HALF);
});
