import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  caseLabel,
  cpuPerMillion,
  medianOf,
  rowsPerSecond,
  totalCpuPerMillion,
} from '../../../benchmarks/page/case-figures.ts';
import { choiceSection } from '../../../benchmarks/page/choice-section.ts';
import { escaped, jsonBlock } from '../../../benchmarks/page/markup.ts';
import { peersSection } from '../../../benchmarks/page/peers-section.ts';
import { renderPage } from '../../../benchmarks/page/render-page.ts';
import { scalingSection } from '../../../benchmarks/page/scaling-section.ts';
import { throughputSection } from '../../../benchmarks/page/throughput-section.ts';
import { timelineSection } from '../../../benchmarks/page/timeline-section.ts';
import {
  benchmarkCase,
  benchmarkResults,
  fullResults,
  peerCase,
  run,
  timeline,
} from '../../support/benchmark-results.ts';

describe('figures of a case', () => {
  test('are medians without the warm-up', () => {
    const one = benchmarkCase({
      rows: 500_000,
      runs: [
        run({ warmUp: true, wallMs: 90_000 }),
        run({ wallMs: 1_000, clientCpuMs: 100 }),
        run({ wallMs: 4_000, clientCpuMs: 400 }),
        run({ wallMs: 2_000, clientCpuMs: 200 }),
      ],
    });
    expect(medianOf(one, ({ wallMs }) => wallMs)).toBe(2_000);
    expect(rowsPerSecond(one)).toBe(250_000);
    expect(cpuPerMillion(one, 'clientCpuMs')).toBe(0.4);
    expect(totalCpuPerMillion(one)).toBe(3.4);
    const even = { ...one, runs: one.runs.slice(0, 3) };
    expect(medianOf(even, ({ wallMs }) => wallMs)).toBe(2_500);
  });

  test('are not known where a run does not know them, or nothing was measured', () => {
    const far = benchmarkCase({ runs: [run({ serverCpuMs: null }), run()] });
    expect(totalCpuPerMillion(far)).toBeNull();
    expect(rowsPerSecond(benchmarkCase({ runs: [run({ warmUp: true })] }))).toBeNull();
  });

  test('name the case, and shout where it went wrong', () => {
    const auto = { strategy: 'auto', chosen: 'hybrid', concurrency: 1 } as const;
    expect(caseLabel(benchmarkCase(auto))).toBe('auto (hybrid), 1 worker');
    expect(caseLabel(peerCase('pgloader', { runs: [run({ correct: false })] }))).toBe(
      'pgloader (WRONG)',
    );
  });
});

describe('sections', () => {
  test('compare strategies, each at its best concurrency', () => {
    const slow = benchmarkCase({ concurrency: 1, runs: [run({ wallMs: 4_000 })] });
    const quick = benchmarkCase({ concurrency: 4, runs: [run({ wallMs: 1_000 })] });
    const other = benchmarkCase({ scenario: 'b', strategy: 'sequential', runs: [run()] });
    const [figure] = throughputSection([slow, quick, other, peerCase('x')]).figures;
    expect(figure?.chart).toMatchObject({
      labels: ['six files, no overlap', 'b'],
      series: [
        { name: 'sequential', values: [null, 500_000] },
        { name: 'partitioned', values: [1_000_000, null] },
      ],
    });
    expect(figure?.table.rows.map((row) => row.slice(0, 5))).toEqual([
      ['six files, no overlap', 'partitioned', '4', '1,000,000', '1,000,000'],
      ['b', 'sequential', '2', '1,000,000', '500,000'],
    ]);
  });

  test('draw scaling only where there is more than one number of workers', () => {
    const one = benchmarkCase({ concurrency: 1 });
    expect(scalingSection([one]).figures).toEqual([]);
    const [speed, cpu] = scalingSection([one, benchmarkCase({ concurrency: 16 })]).figures;
    expect(speed?.chart).toMatchObject({
      labels: ['1', '16'],
      series: [{ values: [500_000, 500_000] }],
    });
    expect(cpu?.table.rows).toEqual([['partitioned', '1.80', '1.80']]);
  });

  test('show the timeline of the run of median time, with a bound on its lanes', () => {
    const runs = [3_000, 1_000, 2_000].map((wallMs) =>
      run({ wallMs, timeline: wallMs === 2_000 ? timeline(50) : timeline(1) }),
    );
    const [figure] = timelineSection([benchmarkCase({ runs })]).figures;
    expect(figure?.title).toContain('the first 40 of 50 files');
    const chart = figure?.chart?.kind === 'spans' ? figure.chart : null;
    expect(chart?.labels).toHaveLength(40);
    expect(chart?.series[0]?.spans[3]).toEqual({ lane: 3, from: 0.3, to: 0.7 });
    expect(chart?.series.map(({ spans }) => spans.length)).toEqual([40, 40, 40]);
    expect(figure?.table.rows).toHaveLength(150);
  });

  test('give all timelines of a scenario one axis', () => {
    const ended = (toMs: number) => [
      run({ timeline: [{ file: 'a', phase: 'merge', fromMs: 0, toMs }] }),
    ];
    const figures = timelineSection([
      benchmarkCase({ strategy: 'sequential', runs: ended(4_000) }),
      benchmarkCase({ runs: ended(1_000) }),
    ]).figures;
    expect(figures.map(({ chart }) => chart)).toMatchObject([{ axisMax: 4 }, { axisMax: 4 }]);
  });

  test('stand on a plain axis where the peers are near each other', () => {
    const axisBeside = (wallMs: number): unknown => {
      const peer = peerCase('psql script', { runs: [run({ wallMs })] });
      const chart = peersSection([benchmarkCase(), peer]).figures[0]?.chart;
      return chart?.kind === 'bars' ? [chart.logarithmic, chart.axis] : null;
    };
    expect(axisBeside(19_000)).toEqual([false, 'rows per second']);
    expect(axisBeside(21_000)).toEqual([true, 'rows per second (logarithmic)']);
  });
  test('rank the peers by rows per second, and keep those that did not run', () => {
    const [figure] = peersSection([
      benchmarkCase(),
      peerCase('row by row', { rows: 10_000, runs: [run({ wallMs: 5_000 })] }),
      peerCase('psql xargs -P', { runs: [run({ wallMs: 4_000, correct: false })] }),
      peerCase('pgloader', { runs: [], skipped: 'pgloader is not installed' }),
    ]).figures;
    expect(figure?.table.rows).toEqual([
      ['etl partitioned, 2 workers', '1,000,000', '500,000', '', 'right'],
      ['psql xargs -P (WRONG)', '1,000,000', '250,000', '2.00 ×', 'WRONG in 1 of 1 runs'],
      ['row by row', '10,000', '2,000', '250.00 ×', 'right'],
      ['pgloader', '', '', '', 'pgloader is not installed'],
    ]);
    expect(figure?.chart).toMatchObject({
      logarithmic: true,
      series: [
        { name: 'etl', values: [500_000, null, null] },
        { name: 'peers', values: [null, 250_000, 2_000] },
      ],
    });
  });

  test('hold the prediction against the outcome', () => {
    const auto = { strategy: 'auto', chosen: 'sequential' } as const;
    const [choice, prediction] = choiceSection([
      benchmarkCase({ ...auto, runs: [run({ wallMs: 3_000 })] }),
      benchmarkCase({ runs: [run({ wallMs: 2_000 })] }),
    ]).figures;
    expect(choice?.table.rows).toEqual([
      ['six files, no overlap', 'sequential', 'partitioned', '1.50'],
    ]);
    expect(prediction?.table.rows).toEqual([
      ['six files, no overlap', 'auto', '3.00', '3.00', '1.00'],
      ['six files, no overlap', 'partitioned', '2.20', '2.00', '1.10'],
    ]);
  });
});

describe('the page', () => {
  test('allows the browser nothing but its own scripts and style', () => {
    const page = renderPage(fullResults());
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toContain('unsafe');
    const inline = [...page.matchAll(/<(script|style)>(.*?)<\/\1>/gs)];
    expect(inline.map(([, tag]) => tag)).toEqual(['style', 'script', 'script']);
    for (const [, tag = '', content = ''] of inline) {
      const hash = createHash('sha256').update(content).digest('base64');
      const directive = policy.split('; ').find((part) => part.startsWith(`${tag}-src `));
      expect(directive).toContain(`'sha256-${hash}'`);
    }
    expect(page.replaceAll(/<script>.*?<\/script>/gs, '')).not.toMatch(/(src|href)="(?!#)|url\(/);
    expect(page).not.toMatch(/ style=| on[a-z]+="/);
    expect(page).not.toContain('sourceMappingURL');
  });

  test('says of each goal in words whether it is reached', () => {
    const page = renderPage(fullResults());
    expect(page).toMatch(/<td>reached<\/td><td class="n">0\.62<\/td><td class="n">0\.85<\/td>/);
    expect(page).toMatch(/<td>MISSED<\/td><td class="n">0\.41<\/td><td class="n">0\.30<\/td>/);
    expect(page).toContain('1 of 2 goals are reached.');
  });

  test('shouts where the engine was wrong, and tells apart the peers', () => {
    expect(renderPage(fullResults())).not.toContain('WRONG RESULTS');
    expect(renderPage(fullResults())).toContain('Peers that left a WRONG table');
    const cases = [benchmarkCase({ runs: [run(), run({ correct: false })] })];
    const page = renderPage(benchmarkResults({ cases }));
    expect(page).toContain('WRONG RESULTS');
    expect(page).toContain('six files, no overlap: partitioned (WRONG), 2 workers, in 1 of 2 runs');
    expect(page).not.toContain('Every run of etl left the table');
  });

  test('counts no run of etl where there was none', () => {
    const page = renderPage(benchmarkResults({ cases: [peerCase('pgloader')] }));
    expect(page).not.toContain('Every run of etl');
  });

  test('has a sentence for each part that is empty', () => {
    const page = renderPage(benchmarkResults());
    for (const sentence of [
      'Nothing was run.',
      'This suite compares nothing.',
      'No run of the engine was measured.',
      'No peer was run.',
      'No strategy was measured with more than one number of workers.',
      'No run has a timeline.',
      'Nothing was run with the strategy auto.',
    ]) {
      expect(page).toContain(sentence);
    }
    expect(page).not.toContain('<canvas');
  });

  test('lets no text out of its place', () => {
    const hostile = `</script><script>alert(1)</script><!--"'><img src=x onerror=alert(1)>\u2028&`;
    const certificate = { ...fullResults().certificate, suite: hostile, commit: hostile };
    const cases = [
      benchmarkCase({ scenario: hostile, runs: [run({ digest: hostile, timeline: timeline(1) })] }),
      peerCase(hostile, { scenario: hostile, runs: [], skipped: hostile }),
    ];
    const ratios = [
      { name: hostile, metric: 'wall' as const, goal: 'distinct' as const, value: 1, reach: 2 },
    ];
    const page = renderPage({ ...benchmarkResults({ cases, ratios }), certificate });
    expect(page.match(/<script\b/g)).toHaveLength(3);
    expect(page.match(/<\/script>/g)).toHaveLength(3);
    expect(page).not.toMatch(/<img|<!--/);
    const block = /<script type="application\/json" id="charts">(.*?)<\/script>/s.exec(page)?.[1];
    expect(JSON.parse(block ?? '')).toMatchObject([{ labels: [hostile] }, {}, {}, {}]);
  });

  test('escapes any text so that it comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escaped(text)).not.toMatch(/[<>"']/);
        const block = jsonBlock('x', text);
        expect(block.slice(1).indexOf('<')).toBe(block.length - 1 - '</script>'.length);
        const json = block.slice(block.indexOf('>') + 1, -'</script>'.length);
        expect(JSON.parse(json)).toBe(text);
      }),
      { numRuns: 200 },
    );
  });
});
