import { expect, test } from 'vitest';
import { rejectedLine } from '../../../src/report/rejected-line.ts';
import { fileReport, loadReport } from './fixtures.ts';

const bad = (ordinal: number, rejected: number): ReturnType<typeof fileReport> =>
  fileReport(ordinal, { rejected, rejects: `/r/${ordinal}\u001b.csv` });

test('rejected rows are one line, with their file, and how many more there are', () => {
  expect(rejectedLine({ loads: [loadReport({ files: [fileReport(0)] })] })).toBeNull();
  expect(rejectedLine({ loads: [loadReport({ files: [fileReport(0), bad(1, 1)] })] })).toBe(
    '1 row rejected: /r/1\\x1b.csv',
  );
  const loads = [
    loadReport({ files: [bad(0, 1), bad(1, 2)] }),
    loadReport({ files: [bad(2, 1_000)] }),
  ];
  expect(rejectedLine({ loads })).toBe('1,003 rows rejected: /r/0\\x1b.csv, and 2 more files');
});
