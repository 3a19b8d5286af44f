import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { estimateOverlap } from '../../../src/plan/overlap.ts';
import type { PlanContext } from '../../../src/plan/plan-context.ts';
import {
  filesAtOnce,
  rowsPerFile,
  sampleFiles,
  type FileToSample,
  type SampledFile,
} from '../../../src/plan/sample-files.ts';
import { hashText } from '../../../src/plan/text-hash.ts';
import type { FileSample } from '../../../src/source/source-file.ts';
import { fakeContext, fakeCsv, type FakeFile } from './fake-context.ts';
import { seeded, type } from './fixtures.ts';

const columns = ['id', 'name'];

function toSample({ file, description }: FakeFile, ordinal: number): FileToSample {
  if (description instanceof Error) throw description;
  return { ordinal, file, description, columns, keyColumns: ['id'] };
}

/** Files of so many rows each; every seventh key of them is null. */
function small(count: number, rows: number): FakeFile[] {
  return Array.from({ length: count }, (_, file) =>
    fakeCsv(
      `${file}.csv`,
      columns,
      Array.from({ length: rows }, (__, row) => {
        const id = file * rows + row;
        return [id % 7 === 0 ? null : String(id), 'x'];
      }),
    ),
  );
}

interface Counted {
  readonly samples: readonly SampledFile[];
  /** Rows of each statement that hashed keys. */
  readonly statements: readonly number[];
}

async function sampled(files: readonly FakeFile[], hashes = true): Promise<Counted> {
  const fake = fakeContext({ files });
  const statements: number[] = [];
  const context: PlanContext = {
    ...fake,
    catalog: {
      ...fake.catalog,
      hashKeys: async (types, rows) => {
        statements.push(rows.length);
        return hashes ? fake.catalog.hashKeys(types, rows) : null;
      },
    },
  };
  return { samples: await sampleFiles(files.map(toSample), [type('int8')], context), statements };
}

describe('thousands of small files', () => {
  it('have their keys hashed hundreds of files at a time', async () => {
    const rows = 10;
    const { samples, statements } = await sampled(small(5_000, rows));
    expect(statements).toHaveLength(20);
    expect(Math.max(...statements)).toBeLessThanOrEqual(LIMITS.sampleRowsPerFileMax);
    expect(statements.reduce((sum, count) => sum + count, 0)).toBe(5_000 * rows);
    samples.forEach(({ keys, nullKeys, sampledRows, complete, span }, file) => {
      const ids = Array.from({ length: rows }, (_, row) => file * rows + row);
      const there = ids.filter((id) => id % 7 !== 0);
      expect([...keys]).toEqual(there);
      expect({ nullKeys, sampledRows, complete }).toEqual({
        nullKeys: rows - there.length,
        sampledRows: rows,
        complete: true,
      });
      expect(span.min).toBe(String(there[0]));
    });
  });

  it('are hashed by spelling, all of them, where the database refuses one', async () => {
    const { samples, statements } = await sampled(small(3_000, 3), false);
    expect(statements.length).toBeLessThanOrEqual(8);
    expect(samples).toHaveLength(3_000);
    expect([...(samples[2_999]?.keys ?? [])]).toEqual(
      ['8997', '8998', '8999'].map((key) => hashText([key])),
    );
  });
});

it('asks for the keys of each large file by itself, and for none where there are no rows', async () => {
  const large = small(3, LIMITS.sampleRowsPerFileMax + 1);
  const { statements } = await sampled(large);
  expect(statements).toEqual(Array(3).fill(LIMITS.sampleRowsPerFileMax));
  const nothing = await sampled(small(5, 0));
  expect(nothing.statements).toEqual([]);
  expect(nothing.samples.map(({ keys }) => keys.length)).toEqual([0, 0, 0, 0, 0]);
});

it('shares the rows of a sample among the files', () => {
  expect(rowsPerFile(0)).toBe(LIMITS.sampleRowsPerFileMax);
  expect(rowsPerFile(20)).toBe(LIMITS.sampleRowsPerFileMax);
  expect(rowsPerFile(10_000)).toBe(40);
  expect(rowsPerFile(LIMITS.filesMax)).toBe(1);
});

/** As CSV files are sampled: their first rows and their last ones. */
function headAndTail(rows: FileSample['rows'], wanted: number): FileSample['rows'] {
  const half = Math.floor(wanted / 2);
  return [...rows.slice(0, half), ...rows.slice(rows.length - half)];
}

describe('what 40 of 100 rows of each of 2,000 files say', () => {
  const files = 2_000;

  /** Files of 100 rows whose keys are drawn from so many. */
  function overlapOf(keysInAll: number, sampledRows: number) {
    const random = seeded(keysInAll);
    const seen = Array.from({ length: files }, (_, file) => {
      const all = Array.from({ length: 100 }, () => [String(Math.floor(random() * keysInAll))]);
      const keys = Float64Array.from(headAndTail(all, sampledRows), ([key]) => Number(key));
      const name = `${file}.csv`;
      return { file, name, keys, rows: 100, complete: false, ordered: false, range: null };
    });
    return estimateOverlap(seen).estimate;
  }

  // Rows that are spread evenly are taken for it, so keys drawn at random count 1 + rows/keys.
  it.each([20_000, 100_000, 400_000, 4_000_000])('is true of all, of %d keys', (keys) => {
    const { multiplicity, missedShareMax } = overlapOf(keys, 40);
    const expected = 1 + (files * 100) / keys;
    expect(multiplicity / expected).toBeGreaterThan(0.9);
    expect(multiplicity / expected).toBeLessThan(1.05);
    // 3·(100/40)/40, of any one pair.
    expect(missedShareMax).toBeCloseTo(0.1875);
  });
});

it.each([
  [1, 2],
  [20, 2],
  [80, 8],
  [10_000, 8],
])('of %d files so many are sampled at once that their rows are few: %d', (files, atOnce) => {
  expect(filesAtOnce(files)).toBe(atOnce);
  expect(filesAtOnce(files) * rowsPerFile(files)).toBeLessThanOrEqual(40_000);
});
