import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rejectPaths, spoolPrefix } from '../../../../src/load/quarantine/reject-folder.ts';

function namesOf(...paths: readonly string[]): string[] {
  const files = paths.map((path, ordinal) => ({ path, ordinal }));
  return [...rejectPaths('/r', files).values()];
}

describe('names of reject files', () => {
  test('are those of the inputs, numbered where they are the same, whatever their case', () => {
    expect(namesOf('/a/x.csv', '/b/x.csv', '/c/X.CSV', '/d/y.csv')).toEqual([
      '/r/x.csv.rejects.csv',
      '/r/x.csv-2.rejects.csv',
      '/r/X.CSV-3.rejects.csv',
      '/r/y.csv.rejects.csv',
    ]);
  });

  test('never leave the folder, and are taken by every file system', () => {
    const hostile = [
      '/a/..',
      '/a/.hidden',
      '/a/\u001b[31m.csv',
      '/a/c:\\x.csv',
      `/a/${'ä'.repeat(300)}`,
    ];
    for (const path of namesOf(...hostile)) {
      expect(dirname(path)).toBe('/r');
      expect(path).not.toMatch(/\p{Cc}|[\\:]|\/\./u);
      expect(Buffer.byteLength(path)).toBeLessThan(255);
    }
  });
});

test('spools of two databases in one folder do not meet', () => {
  const prefixes = ['one a', 'one b', 'two a'].map((database) => spoolPrefix('/r', database, 7));
  expect(new Set(prefixes).size).toBe(3);
  expect(spoolPrefix('/r', 'one a', 7)).toBe(prefixes[0]);
});
