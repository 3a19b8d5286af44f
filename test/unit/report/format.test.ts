import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatSeconds,
  formatShare,
  perSecond,
} from '../../../src/report/format.ts';

describe('numbers for people', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [500_000, '500,000'],
    [1_234_567_890, '1,234,567,890'],
    [119_047.6, '119,048'],
    [null, '–'],
    [Number.NaN, '–'],
    [Infinity, '–'],
  ])('count %s', (count, text) => expect(formatCount(count)).toBe(text));

  test.each([
    [0, '0 files'],
    [1, '1 file'],
    [1_200, '1,200 files'],
  ])('%s files', (count, text) => expect(formatCounted(count, 'file')).toBe(text));

  test.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1_000, '1.0 kB'],
    [38_123_456, '38.1 MB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [7_500_000_000, '7.5 GB'],
    [2e18, '2,000.0 PB'],
  ])('%s bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [0, '0 ms'],
    [40.2, '40 ms'],
    [99.6, '0.1 s'],
    [3_400, '3.4 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [3_599_400, '59 min 59 s'],
    [3_599_600, '1 h 00 min'],
    [3_780_000, '1 h 03 min'],
    [Infinity, '–'],
    [-1, '–'],
  ])('%s ms', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));

  test('seconds of a column', () => {
    expect([3_400, 0, 1_234_560, null].map(formatSeconds)).toEqual(['3.4', '0.0', '1,234.6', '–']);
  });

  test.each([
    [0, '0 %'],
    [0.000_4, '< 0.1 %'],
    [0.000_5, '0.1 %'],
    [0.004, '0.4 %'],
    [0.0994, '9.9 %'],
    [0.0996, '10 %'],
    [0.25, '25 %'],
    [1, '100 %'],
  ])('share %s', (share, text) => expect(formatShare(share)).toBe(text));

  test('a rate needs a count and time', () => {
    expect(perSecond(500, 250)).toBe(2_000);
    expect(perSecond(500, 0)).toBeNull();
    expect(perSecond(null, 250)).toBeNull();
    expect(perSecond(500, null)).toBeNull();
  });
});
