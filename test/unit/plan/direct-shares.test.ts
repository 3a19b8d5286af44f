import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOut } from '../../../src/plan/direct-shares.ts';
import { withWindows } from '../../../src/plan/direct-units.ts';
import { groupUnits } from '../../../src/plan/group-units.ts';
import type { FilePlan } from '../../../src/plan/plan-types.ts';
import type { ParquetDescription } from '../../../src/source/source-file.ts';
import { filePlan } from './fixtures.ts';

const MB = 1024 * 1024;

function csvFiles(...sizes: readonly number[]): FilePlan[] {
  return sizes.map((bytes, ordinal) =>
    filePlan(ordinal, {
      ...{ bytes, estimatedRows: Math.ceil(bytes / 80) },
      ...{ keyMin: String(ordinal * 1_000), keyMax: String(ordinal * 1_000 + 999) },
    }),
  );
}

/** The shares of these files; `rising` are all of them, if not said otherwise. */
function shared(files: readonly FilePlan[], workers: number, rising = files.map((_, at) => at)) {
  const ordinals = new Set(files.keys());
  const direct = { column: 'id', ordinals, rising: new Set(rising) };
  const units = withWindows(groupUnits(files, workers, String), files, direct);
  return shareOut(units, files, direct, workers)?.shares ?? null;
}

/** Each part as its file, and the megabytes where it begins and ends. */
function placesOf(shares: ReturnType<typeof shared>): unknown {
  return shares?.map((share) =>
    share.map(({ files, part }) =>
      part === null ? files[0] : [files[0], part.from / MB, part.to / MB],
    ),
  );
}

describe('shares of files that are copied directly', () => {
  it.each([
    ['one file', [400], 2, [[[0, 0, 200]], [[0, 200, 400]]]],
    [
      'one that dominates',
      [20, 360, 20],
      2,
      [
        [0, [1, 0, 180]],
        [[1, 180, 360], 2],
      ],
    ],
    ['two for two', [100, 100], 2, [[0], [1]]],
    ['a cut at the very end of a file', [104, 96], 2, [[0], [1]]],
  ] as const)('%s', (_, sizes, workers, expected) => {
    expect(placesOf(shared(csvFiles(...sizes.map((size) => size * MB)), workers))).toEqual(
      expected,
    );
  });

  it('hold each byte and each row once, in order, about as many for each worker', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 * MB }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 2, max: 9 }), (bytes, workers) => {
        const files = csvFiles(...bytes);
        const shares = shared(files, workers);
        const parts = shares?.flat() ?? [];
        for (const [ordinal, file] of shares === null ? [] : files.entries()) {
          const own = parts.filter((part) => part.files[0] === ordinal);
          const cuts = own.flatMap(({ part }) => (part === null ? [] : [part.from, part.to]));
          const inner = cuts.slice(1, -1);
          expect(cuts.length === 0 || (cuts[0] === 0 && cuts.at(-1) === file.bytes)).toBe(true);
          expect(inner.every((cut, at) => cut === inner[at - (at % 2) + ((at + 1) % 2)])).toBe(
            true,
          );
          expect(own.map(({ part }) => part?.index ?? 0)).toEqual([...own.keys()]);
          expect(own.reduce((sum, part) => sum + part.bytes, 0)).toBe(file.bytes);
          expect(own.reduce((sum, part) => sum + part.estimatedRows, 0)).toBe(file.estimatedRows);
        }
        expect(parts.map(({ ordinal }) => ordinal)).toEqual([...parts.keys()]);
        const total = bytes.reduce((sum, each) => sum + each, 0);
        for (const share of shares ?? []) {
          const own = share.reduce((sum, part) => sum + part.bytes, 0);
          expect(own).toBeLessThanOrEqual((total / workers) * (1 + 2 / 8) + share.length);
        }
      }),
    );
  });

  it('are none where they would be of one worker, or not of single files', () => {
    expect(shared(csvFiles(400 * MB), 1)).toBeNull();
    expect(shareOut([], [], null, 2)).toBeNull();
    const files = csvFiles(400 * MB);
    expect(shareOut(groupUnits(files, 2, String), files, null, 2)).toBeNull();
  });

  it('leave a file whole that does not rise, or is not CSV on disk as COPY takes it', () => {
    const [large, small] = csvFiles(300 * MB, 100 * MB) as [FilePlan, FilePlan];
    expect(placesOf(shared([large, small], 2, [1]))).toEqual([[0], [1]]);
    const description: ParquetDescription = {
      ...{ kind: 'parquet', columns: [], createdBy: null, rows: 1, rowGroups: [] },
    };
    expect(placesOf(shared([{ ...large, description }, small], 2))).toEqual([[0], [1]]);
    expect(placesOf(shared([{ ...large, compression: 'gzip' }, small], 2))).toEqual([[0], [1]]);
    expect(placesOf(shared([large], 2, []))).toBeUndefined();
  });
});
