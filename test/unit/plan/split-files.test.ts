import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { groupUnits } from '../../../src/plan/group-units.ts';
import type { FilePlan } from '../../../src/plan/plan-types.ts';
import { splitFiles, type SplitOptions } from '../../../src/plan/split-files.ts';
import type { ParquetDescription } from '../../../src/source/source-file.ts';
import { csv, filePlan } from './fixtures.ts';

const MB = 1024 * 1024;
const OPTIONS: SplitOptions = { workers: 4, chunkRows: 100_000, partBytesMin: 8 * MB };

function split(files: readonly FilePlan[], options: Partial<SplitOptions> = {}) {
  const own = { ...OPTIONS, ...options };
  const whole = groupUnits(files, own.workers, () => '');
  return { whole, units: splitFiles(whole, files, own) };
}

function csvFiles(...sizes: readonly number[]): FilePlan[] {
  return sizes.map((bytes, ordinal) =>
    filePlan(ordinal, { bytes, estimatedRows: Math.ceil(bytes / 80) }),
  );
}

function parquet(...groups: readonly number[]): FilePlan {
  const rowGroups = groups.map((rows) => ({ rows, uncompressedBytes: rows * 100 }));
  const rows = groups.reduce((sum, count) => sum + count, 0);
  const description: ParquetDescription = {
    ...{ kind: 'parquet', columns: [], createdBy: null },
    rows,
    rowGroups,
  };
  return filePlan(0, { description, bytes: rows * 20, estimatedRows: rows });
}

describe('splitting large files', () => {
  it.each([
    ['one large file', [400 * MB], [50]],
    ['one that dominates', [10 * MB, 400 * MB, 10 * MB], [null, 50, null]],
    ['three for four workers', [100 * MB, 100 * MB, 100 * MB], [12, 12, 12]],
    ['eight for four workers', Array.from({ length: 8 }, () => 100 * MB), null],
    ['one that is small', [15 * MB], null],
    ['one beyond the most parts', [80_000 * MB], [LIMITS.splitPartsMax]],
    ['none', [], null],
  ])('is done where it spreads the work: %s', (_, sizes, parts) => {
    const { whole, units } = split(csvFiles(...sizes));
    if (parts === null) {
      expect(units).toBe(whole);
      return;
    }
    const firsts = units.filter(({ part }) => part === null || part.index === 0);
    expect(firsts.map(({ part }) => part?.of ?? null)).toEqual(parts);
  });

  it('heeds chunkSize, and that one worker has nobody to share with', () => {
    const files = csvFiles(400 * MB);
    expect(split(files, { chunkRows: 1_000_000 }).units).toHaveLength(5);
    expect(split(files, { chunkRows: 10_000_000 }).units).toHaveLength(1);
    expect(split(files, { workers: 1 }).units).toHaveLength(1);
  });

  it('leaves alone what cannot be read in parts', () => {
    const large = { bytes: 400 * MB, estimatedRows: 5_000_000 };
    expect(split([filePlan(0, { ...large, compression: 'gzip' })]).units).toHaveLength(1);
    const rows = csv(['id', 'name'], { path: 'rows' });
    expect(split([filePlan(0, { ...large, description: rows })]).units).toHaveLength(1);
    expect(split([parquet(5_000_000)]).units).toHaveLength(1);
  });

  it('takes row groups together until they are a chunk', () => {
    const places = (file: FilePlan) =>
      split([file]).units.map(({ part }) => [part?.from, part?.to]);
    expect(places(parquet(60_000, 60_000, 60_000, 200_000, 10))).toEqual([
      [0, 2],
      [2, 4],
      [4, 5],
    ]);
    const many = parquet(...Array.from({ length: 1_000 }, () => 200_000));
    expect(split([many]).units.length).toBeLessThanOrEqual(LIMITS.splitPartsMax);
  });

  it('gives every byte and every row to one part, in order', () => {
    const file = fc.oneof(
      fc.integer({ min: 1, max: 500 * MB }).map((bytes) => csvFiles(bytes)[0] as FilePlan),
      fc
        .array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 20 })
        .map((groups) => parquet(...groups)),
    );
    const drawn = fc.array(file, { maxLength: 6 });
    const options = fc.record({
      workers: fc.integer({ min: 1, max: 16 }),
      chunkRows: fc.integer({ min: 1, max: 1_000_000 }),
      partBytesMin: fc.integer({ min: 1, max: 10 * MB }),
    });
    fc.assert(
      fc.property(drawn, options, (made, own) => {
        const files = made.map((each, ordinal) => ({ ...each, ordinal }));
        const { units } = split(files, own);
        expect(units.map((unit) => unit.ordinal)).toEqual([...units.keys()]);
        expect(new Set(units.flatMap((unit) => unit.files)).size).toBe(files.length);
        for (const { ordinal, bytes, estimatedRows, description } of files) {
          const parts = units.filter(({ files: [first], part }) => first === ordinal && part);
          if (parts.length === 0) continue;
          let from = 0;
          for (const [index, { part }] of parts.entries()) {
            expect(part).toMatchObject({ index, of: parts.length, from });
            from = part?.to ?? -1;
          }
          expect(from).toBe(description.kind === 'parquet' ? description.rowGroups.length : bytes);
          expect(parts.reduce((sum, unit) => sum + unit.bytes, 0)).toBe(bytes);
          expect(parts.reduce((sum, unit) => sum + unit.estimatedRows, 0)).toBe(estimatedRows);
        }
      }),
    );
  });
});
