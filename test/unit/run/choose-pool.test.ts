import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import type { FilePlan, UnchangedPlan } from '../../../src/plan/plan-types.ts';
import { needsThreads, workOf, type PoolWork } from '../../../src/run/choose-pool.ts';
import type { CsvDescription } from '../../../src/source/source-file.ts';

const SMALL: PoolWork = {
  ...{ rows: 10, bytes: 1_000, transformed: false, workersPerThread: 4, threads: 'auto' },
};

function file(
  kind: 'csv' | 'document' | 'transformed',
  estimatedRows: number,
  skipped = false,
): FilePlan {
  const skip = skipped ? { runId: 'r', loadedAt: '', rows: 0 } : null;
  const description = { kind, path: 'bytes' };
  const compression = 'none';
  return { description, compression, estimatedRows, bytes: estimatedRows * 10, skip } as FilePlan;
}

const PLAIN = { dropSuperseded: false } as const;

describe('a load has threads', () => {
  const { inProcessRowsMax, inProcessBytesMax, inProcessTransformedRowsMax } = LIMITS;
  it.each<[string, Partial<PoolWork>, boolean]>([
    ['where it is small', {}, false],
    ['up to a number of rows', { rows: inProcessRowsMax }, false],
    ['of more rows', { rows: inProcessRowsMax + 1 }, true],
    ['up to a size', { bytes: inProcessBytesMax }, false],
    ['of a larger size', { bytes: inProcessBytesMax + 1 }, true],
    [
      'up to fewer rows with a transform',
      { rows: inProcessTransformedRowsMax, transformed: true },
      false,
    ],
    [
      'of more, with a transform',
      { rows: inProcessTransformedRowsMax + 1, transformed: true },
      true,
    ],
    [
      'of more rows, where one thread feeds all',
      { rows: inProcessRowsMax + 1, workersPerThread: 5 },
      false,
    ],
    ['where it is told to', { threads: 'always' }, true],
    ['where it is told not to', { threads: 'never', rows: inProcessRowsMax + 1 }, false],
  ])('%s', (_, work, wanted) => {
    expect(needsThreads(5, { ...SMALL, ...work })).toBe(wanted);
  });
});

describe('the work of a load', () => {
  it('is that of the files that are not skipped', () => {
    const files = [file('csv', 3), file('csv', 4), file('transformed', 100, true)];
    expect(workOf({ files, ...PLAIN }, { threads: 'auto' })).toEqual({
      ...{ rows: 7, bytes: 70, transformed: false, workersPerThread: 16, threads: 'auto' },
    });
    expect(
      workOf({ files: [file('transformed', 1)], ...PLAIN }, { threads: 'never' }),
    ).toMatchObject({
      ...{ transformed: true, workersPerThread: 1, threads: 'never' },
    });
  });

  it('needs no thread for two workers that load documents, however many', () => {
    const work = workOf({ files: [file('document', 1_000_000)], ...PLAIN }, { threads: 'auto' });
    expect(needsThreads(2, work)).toBe(false);
    expect(needsThreads(3, work)).toBe(true);
  });

  it('needs no thread for sixteen workers that only pass on bytes of CSV, and for four at most else', () => {
    const csv = file('csv', 1_000_000);
    const fed = (one: FilePlan, load: Partial<Parameters<typeof workOf>[0]> = {}): number =>
      workOf({ files: [file('csv', 1), one], ...PLAIN, ...load }, { threads: 'auto' })
        .workersPerThread;
    expect(fed(csv)).toBe(16);
    expect(fed({ ...csv, compression: 'gzip' })).toBe(4);
    expect(fed({ ...csv, description: { kind: 'csv', path: 'rows' } as CsvDescription })).toBe(4);
    expect(fed(csv, { dropSuperseded: true })).toBe(4);
    expect(fed(csv, { unchanged: {} as UnchangedPlan })).toBe(4);
    const work = workOf({ files: [csv], ...PLAIN }, { threads: 'auto' });
    expect([needsThreads(16, work), needsThreads(17, work)]).toEqual([false, true]);
  });
});
