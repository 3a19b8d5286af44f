import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { printSummary } from '../../../src/report/summary-text.ts';
import { withFewDocuments } from '../../../src/run/document-report.ts';
import type { FileReport, LoadReport } from '../../../src/run/report-types.ts';
import { fileReport, loadReport, report } from '../report/fixtures.ts';

const MOST = LIMITS.reportDocumentsMax;

function documents(count: number, more: (place: number) => Partial<FileReport> = () => ({})) {
  const files = Array.from({ length: count }, (_, place) =>
    fileReport(place, {
      path: `/lake/${place}.html`,
      format: 'document',
      bytes: 10,
      status: 'loaded',
      ...{ rowsRead: 1, inserted: 1, updated: 0, unchanged: 0, superseded: 0, rejected: 0 },
      ...more(place),
    }),
  );
  return loadReport({ files });
}

function pathsOf({ files }: LoadReport): string[] {
  return files.map(({ path }) => path);
}

describe('the report of many documents', () => {
  it('lists all where they are few, and all files that are no documents', () => {
    const few = documents(MOST);
    expect(withFewDocuments(few)).toBe(few);
    const csv = documents(MOST + 1, () => ({ format: 'csv' }));
    expect(withFewDocuments(csv)).toBe(csv);
  });

  it('lists what went wrong, and the first of the others, and counts the rest', () => {
    const last = MOST + 500;
    const told = withFewDocuments(
      documents(last + 1, (place) => {
        if (place === last) return { status: 'failed', rowsRead: null, inserted: null };
        if (place === last - 1) return { inserted: 0, rejected: 1 };
        return place < 5 ? { status: 'skipped' } : {};
      }),
    );
    const first = Array.from({ length: MOST - 2 }, (_, place) => `/lake/${place}.html`);
    expect(pathsOf(told)).toEqual([...first, `/lake/${last - 1}.html`, `/lake/${last}.html`]);
    expect(told.unlisted).toEqual([
      {
        ...{ status: 'loaded', files: 501, bytes: 5_010, rowsRead: 501, inserted: 501 },
        ...{ updated: 0, unchanged: 0, superseded: 0, rejected: 0 },
      },
    ]);
  });

  it('lists nothing but what went wrong where that is enough, and sums up thousands', () => {
    const wrong = (place: number): boolean => place % 2 === 1 && place < 2 * MOST + 20;
    const told = withFewDocuments(
      documents(3 * MOST + 20, (place) => (wrong(place) ? { rejected: 1, inserted: 0 } : {})),
    );
    const first = Array.from({ length: MOST }, (_, place) => `/lake/${2 * place + 1}.html`);
    expect(pathsOf(told)).toEqual(first);
    expect(told.unlisted).toMatchObject([
      { status: 'loaded', files: 2 * MOST + 20, bytes: 20 * MOST + 200, rejected: 10 },
    ]);
    expect(told.unlisted?.[0]?.inserted).toBe(2 * MOST + 10);
  });

  it('adds nothing up where the count of one is not known', () => {
    const told = withFewDocuments(documents(MOST + 2, () => ({ inserted: null })));
    expect(told.unlisted).toMatchObject([{ files: 2, rowsRead: 2, inserted: null }]);
  });

  it('is summed up as if all were listed', () => {
    const all = documents(MOST + 234, (place) => (place % 2 === 0 ? { status: 'skipped' } : {}));
    const options = { color: false, width: 120 };
    const summary = (load: LoadReport): string => printSummary(report({ loads: [load] }), options);
    expect(summary(withFewDocuments(all))).toBe(summary(all));
    const skipped = documents(MOST + 234, () => ({ status: 'skipped' }));
    expect(summary(withFewDocuments(skipped))).toBe(summary(skipped));
    expect(summary(skipped)).toContain('1,234 files skipped');
  });
});
