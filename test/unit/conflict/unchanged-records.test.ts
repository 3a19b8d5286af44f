import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HashedFiles } from '../../../src/conflict/file-order.ts';
import { findUnchangedRecords, type HashedKeys } from '../../../src/conflict/unchanged-records.ts';

/** A record stands for its bytes by `row` and for its key by `key`; a row of the table likewise. */
interface Letter {
  readonly key: number;
  readonly row: number;
  readonly plain: boolean;
}

describe('records that change nothing', () => {
  it('are left out by key, whatever the order of the table', () => {
    const files = [[same(1), same(2), changed(3)], [same(4)]];
    expect(decide(files, [4, 2, 1])).toEqual([
      { keep: [0, 0, 1], kept: 1, unchanged: 2 },
      { keep: [0], kept: 0, unchanged: 1 },
    ]);
  });

  it('stay where a record of their key differs, before or after them', () => {
    const files = [[same(1), changed(2)], [same(2), same(3)], [changed(3)]];
    expect(decide(files, [1, 2, 3]).map(({ keep }) => keep)).toEqual([[0, 1], [1, 1], [1]]);
  });

  it('are left out up to the first change, where a key may be spelled in several ways', () => {
    const files = [[same(1)], [same(2), { ...changed(9), plain: false }], [same(3)]];
    expect(decide(files, [1, 2, 3]).map(({ keep }) => keep)).toEqual([[0], [0, 1], [1]]);
  });

  it('are left out up to the first file that is not known', () => {
    const files = [[same(1), changed(2), same(3)]];
    expect(decide(files, [1, 3], false).map(({ keep }) => keep)).toEqual([[0, 1, 1]]);
  });

  it('are counted once a file', () => {
    const files = [[same(1), same(1), same(2)], [same(1)]];
    expect(decide(files, [1, 2]).map(({ unchanged }) => unchanged)).toEqual([2, 1]);
  });

  it.each<[string, (rows: number[]) => number[]]>([
    ['in the order of the files', (rows) => rows],
    ['in pages of two files by turns', (rows) => byTurns(rows, 50)],
    [
      'with rows of later pages in earlier ones',
      (rows) => rows.toSorted((a, b) => near(a) - near(b)),
    ],
    ['with few rows far from their neighbours', (rows) => rows.toSorted((a, b) => far(a) - far(b))],
    ['from its middle on', (rows) => [...rows.slice(3_000), ...rows.slice(0, 3_000)]],
    ['backwards', (rows) => rows.toReversed()],
  ])('are found in a table %s', (_, order) => {
    const rows = Array.from({ length: 8_000 }, (__, row) => row + 1);
    const records = rows.map((row) => (row % 1_000 === 7 ? changed(row) : same(row)));
    // The last repeats the one before it, which counts once.
    const files = [records.slice(0, 4_000), [...records.slice(4_000), same(8_000)]];
    const kept = decide(files, order(rows));
    expect(kept.map(({ unchanged }) => unchanged)).toEqual([3_996, 3_996]);
    expect(
      kept.flatMap(({ keep }) => keep.flatMap((one, place) => (one === 1 ? [place] : []))),
    ).toEqual([6, 1_006, 2_006, 3_006, 6, 1_006, 2_006, 3_006]);
    const all = decide([files[0]?.map(({ key }) => same(key)) ?? []], order(rows));
    expect(all[0]).toMatchObject({ kept: 0, unchanged: 4_000 });
  });

  it('are what a model of sets says they are', () => {
    const letter = fc.record({ key: fc.nat(5), version: fc.nat(1), plain: fc.boolean() });
    const files = fc.array(
      fc.array(
        letter.map(({ key, version, plain }) => ({ key, row: key * 2 + version + 1, plain })),
        { maxLength: 8 },
      ),
      { maxLength: 20 },
    );
    const table = fc.shuffledSubarray([1, 3, 5, 7, 9, 11]);
    fc.assert(
      fc.property(files, table, fc.boolean(), (given, rows, complete) => {
        const all = given.flat();
        const missing = all.filter(({ row }) => !rows.includes(row));
        const touched = new Set(missing.map(({ key }) => key));
        const byKey = complete && missing.every(({ plain }) => plain);
        const first = all.findIndex(({ row }) => !rows.includes(row));
        const expected = all.map(({ key, row }, place) =>
          byKey ? !rows.includes(row) || touched.has(key) : first !== -1 && place >= first,
        );
        const found = decide(given, rows, complete);
        expect(found.flatMap(({ keep }) => keep.map((one) => one === 1))).toEqual(expected);
      }),
    );
  });
});

/** Pages of so many rows of the first half and of the second. */
function byTurns(rows: readonly number[], page: number): number[] {
  const half = rows.length / 2;
  return Array.from({ length: half / page }, (_, turn) => turn * page).flatMap((at) => [
    ...rows.slice(at, at + page),
    ...rows.slice(half + at, half + at + page),
  ]);
}

function near(row: number): number {
  return row % 90 === 0 ? row - 200 : row;
}

function far(row: number): number {
  return row % 500 === 0 ? 8_000 - row : row;
}

function same(key: number): Letter {
  return { key, row: key, plain: true };
}

function changed(key: number): Letter {
  return { key, row: key + 100_000, plain: true };
}

function decide(
  files: readonly (readonly Letter[])[],
  rows: readonly number[],
  complete = true,
): { keep: number[]; kept: number; unchanged: number }[] {
  const records = findUnchangedRecords(hashed(files));
  for (const row of rows) records.mark(Uint32Array.from(lanes(row)));
  expect(records.changed()).toBe(files.flat().some(({ row }) => !rows.includes(row)));
  // Keys say something where a record has changed, and are not asked for elsewhere.
  return records
    .decide(complete && records.changed() ? keysOf(files) : null)
    .map(({ keep, kept, unchanged }) => ({ keep: [...keep], kept, unchanged }));
}

function hashed(files: readonly (readonly Letter[])[]): HashedFiles {
  return {
    counts: files.map((file) => file.length),
    lanes: Uint32Array.from(files.flat().flatMap(({ row }) => lanes(row))),
  };
}

function keysOf(files: readonly (readonly Letter[])[]): HashedKeys {
  const all = files.flat();
  return {
    keys: Uint32Array.from(all.flatMap(({ key }) => [key, 7])),
    plain: Uint8Array.from(all, ({ plain }) => (plain ? 1 : 0)),
  };
}

/** Few different first lanes of the first rows, so that slots are shared. */
function lanes(row: number): number[] {
  return [row < 100 ? row % 2 : row, row, 3, 4];
}
