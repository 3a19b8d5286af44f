import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { columnsOf } from '../../../benchmarks/generate/columns.ts';
import { mix, remix } from '../../../benchmarks/generate/mix.ts';
import {
  distinctKeys,
  keyAt,
  placeOfRow,
  shapeOf,
  type Shape,
} from '../../../benchmarks/generate/shape.ts';
import { csvChunks } from '../../../benchmarks/generate/write-csv.ts';
import { checkScenario, type Scenario } from '../../../benchmarks/scenario.ts';

const plain = { name: 'a', description: 'b', rows: { quick: 10 }, files: 3 };

function shape(fields: Partial<Record<keyof Scenario, unknown>>, rows = 3_000, seed = 1): Shape {
  return shapeOf(checkScenario({ ...plain, ...fields }, 'a.json'), rows, 0, seed);
}

function linesOf(of: Shape, file: number): string[] {
  const text = Buffer.concat([...csvChunks(of, file)]).toString();
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1).split('\n');
}

/** The key columns of each row, as text. */
function keysOf(of: Shape, file: number): string[] {
  const width = columnsOf(of.scenario).filter((column) => column.key).length;
  return linesOf(of, file)
    .slice(1)
    .map((line) => line.split(',').slice(0, width).join(','));
}

describe('the files', () => {
  test('have a bad row in the middle where one is asked for, and no other line changes', () => {
    const bad = linesOf(shape({ badRow: true }, 300), 1);
    const good = linesOf(shape({}, 300), 1);
    expect(bad[51]).toBe(good[0]?.split(',').fill('x').join(','));
    expect(bad.toSpliced(51, 1)).toEqual(good);
  });

  test('are the same for the same seed, and others for another', () => {
    expect(linesOf(shape({}, 300, 4), 2)).toEqual(linesOf(shape({}, 300, 4), 2));
    expect(linesOf(shape({}, 300, 5), 2)).not.toEqual(linesOf(shape({}, 300, 4), 2));
  });

  test('have a header, the rows that were asked for, and a value in each column', () => {
    const of = shape({ width: 20 });
    const lines = linesOf(of, 0);
    const names = columnsOf(of.scenario).map((column) => column.name);
    expect(names).toHaveLength(20);
    expect(lines[0]).toBe(names.join(','));
    expect(lines).toHaveLength(1_001);
    for (const line of lines) expect(line.split(',')).toHaveLength(20);
    const [, , amount = '', name = '', , changedAt = ''] = lines[1]?.split(',') ?? [];
    expect(amount).toMatch(/^\d{1,5}\.\d\d$/);
    expect(name).toMatch(/^customer [0-9a-f]{8}$/);
    expect(new Date(changedAt).getUTCFullYear()).toBe(2024);
  });

  test('outgrow a chunk without losing a row', () => {
    const of = shape({ files: 1 }, 20_000);
    expect([...csvChunks(of, 0)].length).toBeGreaterThan(5);
    expect(new Set(keysOf(of, 0)).size).toBe(20_000);
  });

  test.each([
    ['sorted', [1, 2, 3, 4, 5]],
    ['reversed', [5, 4, 3, 2, 1]],
  ])('%s', (order, expected) => {
    expect(keysOf(shape({ files: 1, order }, 5), 0)).toEqual(expected.map(String));
  });

  test('shuffled hold what sorted ones hold, in another order', () => {
    const sorted = keysOf(shape({ overlap: 0.5 }), 1);
    const shuffled = keysOf(shape({ overlap: 0.5, order: 'shuffled' }), 1);
    expect(shuffled).not.toEqual(sorted);
    expect(shuffled.toSorted()).toEqual(sorted.toSorted());
    const rising = shuffled.filter((key, row) => Number(key) > Number(shuffled[row - 1]));
    expect(rising.length / shuffled.length).toBeGreaterThan(0.4);
    expect(rising.length / shuffled.length).toBeLessThan(0.6);
  });

  test.each(['bigint', 'uuid', 'text', 'composite'])('keys of %s are distinct', (keyType) => {
    const of = shape({ keyType, order: 'shuffled' });
    const keys = [0, 1, 2].flatMap((file) => keysOf(of, file));
    expect(new Set(keys).size).toBe(3_000);
    if (keyType !== 'uuid') return;
    const version4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}$/;
    for (const key of keys) expect(key).toMatch(version4);
  });
});

describe('overlap', () => {
  test.each([
    [0, 3_000],
    [0.25, 2_500],
    [0.5, 2_000],
    [1, 1_000],
  ])('of %d is exact: %d distinct keys', (overlap, distinct) => {
    const of = shape({ overlap });
    const [one = [], ...others] = [0, 1, 2].map((file) => keysOf(of, file));
    for (const other of others) {
      expect(one.filter((key) => other.includes(key))).toHaveLength(1_000 * overlap);
    }
    expect(new Set([...one, ...others.flat()]).size).toBe(distinct);
    expect(distinctKeys(of)).toBe(distinct);
  });

  test('stays inside of its group', () => {
    const of = shape({ files: 4, sharedBy: 2, overlap: 0.5 }, 400);
    const [a, b, c, d] = [0, 1, 2, 3].map((file) => new Set(keysOf(of, file)));
    const shared = (one = new Set<string>(), other = new Set<string>()) =>
      [...one].filter((key) => other.has(key)).length;
    expect([shared(a, b), shared(c, d)]).toEqual([50, 50]);
    expect([shared(a, c), shared(a, d), shared(b, c)]).toEqual([0, 0, 0]);
  });

  test('of ranges leaves each file a range of its own', () => {
    const of = shape({ layout: 'ranges' });
    const numbers = [0, 1, 2].map((file) => keysOf(of, file).map(Number));
    expect(numbers.map((keys) => [Math.min(...keys), Math.max(...keys)])).toEqual([
      [1, 1_000],
      [1_001, 2_000],
      [2_001, 3_000],
    ]);
  });
});

describe('skew', () => {
  test('draws few keys often, and is counted', () => {
    const of = shape({ skew: 2, order: 'shuffled' });
    const keys = [0, 1, 2].flatMap((file) => keysOf(of, file));
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    expect(distinctKeys(of)).toBe(counts.size);
    expect(counts.size).toBeLessThan(2_000);
    expect(Math.max(...counts.values())).toBeGreaterThan(100);
  });
});

describe('the arithmetic', () => {
  test('never gives two keys the same number', () => {
    const mixed = new Set<number>();
    const again = new Set<number>();
    for (let key = 0; key < 100_000; key++) {
      const number = mix(key, 3, 77);
      mixed.add(number);
      again.add(remix(number, 1));
    }
    expect([mixed.size, again.size]).toEqual([100_000, 100_000]);
  });

  test('gives each row of a file a place of its own', () => {
    const counts = fc.integer({ min: 1, max: 700 });
    fc.assert(
      fc.property(counts, fc.constantFrom('sorted', 'shuffled', 'reversed'), (rows, order) => {
        const of = shape({ files: 1, order }, rows);
        const place = placeOfRow(of, 0);
        const places = Array.from({ length: rows }, (_, row) => place(row));
        expect(places.toSorted((a, b) => a - b)).toEqual(places.map((_, index) => index));
        expect(keyAt(of, 0, rows - 1)).toBe(rows - 1);
      }),
    );
  });
});
