import { describe, expect, test } from 'vitest';
import { benchmarkText, progressLine } from '../../../benchmarks/benchmark-text.ts';
import { comparedLoads, formatMsPerRow } from '../../../benchmarks/examples/example-result.ts';
import { findExamples } from '../../../benchmarks/examples/example-runner.ts';
import { withDatabase } from '../../../benchmarks/examples/own-database.ts';
import { examplesSection } from '../../../benchmarks/page/examples-section.ts';
import { renderPage } from '../../../benchmarks/page/render-page.ts';
import { pageFor } from '../../../src/report/page.ts';
import { benchmarkResults, exampleResult } from '../../support/benchmark-results.ts';

const page = pageFor({ color: false, width: 140 });

describe('an example beside what was reported', () => {
  test('is compared by row', () => {
    const [first, ...more] = comparedLoads([exampleResult()]);
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      ...{ example: 'pages', size: 'full', msPerRow: 0.5, rowsPerSecond: 2_000 },
      ...{ timesAsFast: 600, timesAsWanted: 20, connectionsPeak: 3 },
    });
  });

  test('has the connections of the whole example where its own are not known', () => {
    const unknown = exampleResult({
      figures: exampleResult().figures.map((figure) =>
        figure.load === undefined
          ? figure
          : { ...figure, load: { ...figure.load, connectionsPeak: null } },
      ),
    });
    expect(comparedLoads([unknown])[0]?.connectionsPeak).toBe(7);
  });

  test('has a section with a plot, what the loads took, and every figure', () => {
    const [speed, loads, detail] = examplesSection([exampleResult()]).figures;
    expect(speed?.chart).toMatchObject({
      labels: ['pages: first load'],
      series: [
        { name: 'reported', values: [300] },
        { name: 'measured', values: [0.5] },
      ],
    });
    expect(speed?.table.rows).toEqual([
      ['pages: first load', '', '300', '10', '0.5', '600 ×', '20 ×'],
    ]);
    expect(loads?.table.rows[0]).toEqual(
      expect.arrayContaining(['full', '1,000', '2,000', '120.0 MB', '3', 'right']),
    );
    expect(detail?.table.rows).toEqual([
      ['first load', '0.50', 's', '3 a second'],
      ['files', '1,000', '', ''],
    ]);
  });

  test('that failed is shouted, on the page and on the terminal', () => {
    const failed = exampleResult({ figures: [], failed: 'It failed: <the table is wrong>' });
    const html = renderPage(benchmarkResults({ examples: [failed] }));
    expect(html).toContain('FAILED EXAMPLES');
    expect(html).toContain('It failed: &lt;the table is wrong&gt;');
    const line = progressLine({ kind: 'done', result: failed }, page);
    expect(line).toContain('FAILED: It failed: <the table is wrong>');
  });

  test('is told on the terminal', () => {
    const text = benchmarkText(benchmarkResults({ examples: [exampleResult()] }), page);
    expect(text).toMatch(/pages \(full\) +first load +300 +0\.5 +600 × +2,000 +120\.0 MB +3/);
    expect(renderPage(benchmarkResults({ examples: [exampleResult()] }))).toContain(
      '1 example left the right tables.',
    );
  });
});

test('milliseconds per row keep three digits', () => {
  expect([0.001234, 0.5, 7, 49.68, 3_000].map(formatMsPerRow)).toEqual([
    ...['0.00123', '0.5', '7', '49.7', '3,000'],
  ]);
});

test('another database of the same server keeps all else of the address', () => {
  expect(withDatabase('postgres://me@/etl?host=/run/pg', 'x')).toBe(
    'postgres://me@/x?host=/run/pg',
  );
  expect(withDatabase('postgresql://me:p%2F@h:5433', 'x')).toBe('postgresql://me:p%2F@h:5433/x');
  expect(withDatabase('postgres://h/old?sslmode=require', 'x')).toBe(
    'postgres://h/x?sslmode=require',
  );
});

test('examples are those of the checkout, and no others', async () => {
  const all = await findExamples([]);
  expect(all.names).toEqual([
    ...['company-predictions', 'data-lake', 'ocds-releases', 'parallel-upsert', 'profiles'],
  ]);
  await expect(findExamples(['data-lak'])).rejects.toThrow('Did you mean "data-lake"?');
});
