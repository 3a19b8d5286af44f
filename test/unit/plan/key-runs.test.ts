import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachKey, indexKeys } from '../../../src/plan/key-runs.ts';
import { seeded } from './fixtures.ts';

type Run = readonly [hash: number, files: readonly (readonly [file: number, count: number])[]];

function runsOf(files: readonly (readonly number[])[]): Run[] {
  const index = indexKeys(files.map((keys) => Float64Array.from(keys)));
  const runs: (readonly (readonly [number, number])[])[] = [];
  forEachKey(index, files.length, ({ files: holders, counts, length }) => {
    runs.push(Array.from({ length }, (_, i) => [holders[i] ?? -1, counts[i] ?? -1] as const));
  });
  const hashes = [...new Set(index.hashes)];
  return runs.map((run, i) => [hashes[i] ?? NaN, run]);
}

function expected(files: readonly (readonly number[])[]): Run[] {
  const hashes = [...new Set(files.flat())].sort((a, b) => a - b);
  return hashes.map((hash) => [
    hash,
    files.flatMap((keys, file) => {
      const count = keys.filter((key) => key === hash).length;
      return count === 0 ? [] : [[file, count] as const];
    }),
  ]);
}

it('visits each key once, in order, with its files in order and how often each has it', () => {
  const hash = fc.oneof(
    fc.integer({ min: -4, max: 4 }),
    fc.integer({ min: -(2 ** 52), max: 2 ** 52 }).map((wide) => wide * 2 ** 0),
    fc.constantFrom(2 ** 53 - 1, -(2 ** 52), 1e15),
  );
  fc.assert(
    fc.property(fc.array(fc.array(hash, { maxLength: 20 }), { maxLength: 6 }), (files) => {
      expect(runsOf(files)).toEqual(expected(files));
    }),
  );
});

it('sorts what falls into one stretch, however much that is', () => {
  const random = seeded(11);
  // One hash far away leaves all others in the first stretch.
  const near = Array.from({ length: 5 }, () =>
    Array.from({ length: 300 }, () => Math.floor(random() * 50)),
  );
  const files = [...near, [2 ** 52]];
  expect(runsOf(files)).toEqual(expected(files));
});
