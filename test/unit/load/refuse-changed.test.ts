import { describe, expect, it } from 'vitest';
import { isOther } from '../../../src/load/refuse-changed.ts';

describe('a file that is looked at again', () => {
  const planned = { bytes: 10, mtimeMs: 1.5, ctimeMs: 2.5 };
  const now = { size: 10, mtimeMs: 1.5, ctimeMs: 2.5 };

  it.each([
    ['as it was', planned, now, false],
    ['longer', planned, { ...now, size: 11 }, true],
    ['written to', planned, { ...now, mtimeMs: 1.6 }, true],
    ['replaced by one of its size and time', planned, { ...now, ctimeMs: 2.6 }, true],
    ['nobody knew when it changed', { bytes: 10, mtimeMs: 1.5 }, { ...now, ctimeMs: 9 }, false],
  ])('is another: %s', (_, before, after, other) => {
    expect(isOther(before, after)).toBe(other);
  });
});
