import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import type { FilePlan } from '../../../src/plan/plan-types.ts';
import { needsThreads, workOf, type PoolWork } from '../../../src/run/choose-pool.ts';

const SMALL: PoolWork = {
  ...{ rows: 10, bytes: 1_000, transformed: false, workersPerThread: 4, threads: 'auto' },
};

function file(
  kind: 'csv' | 'document' | 'transformed',
  estimatedRows: number,
  skipped = false,
): FilePlan {
  const skip = skipped ? { runId: 'r', loadedAt: '', rows: 0 } : null;
  return { description: { kind }, estimatedRows, bytes: estimatedRows * 10, skip } as FilePlan;
}

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
    expect(workOf({ files }, { threads: 'auto' })).toEqual({
      ...{ rows: 7, bytes: 70, transformed: false, workersPerThread: 4, threads: 'auto' },
    });
    expect(workOf({ files: [file('transformed', 1)] }, { threads: 'never' })).toMatchObject({
      ...{ transformed: true, workersPerThread: 1, threads: 'never' },
    });
  });

  it('needs no thread for two workers that load documents, however many', () => {
    const work = workOf({ files: [file('document', 1_000_000)] }, { threads: 'auto' });
    expect(needsThreads(2, work)).toBe(false);
    expect(needsThreads(3, work)).toBe(true);
  });
});
