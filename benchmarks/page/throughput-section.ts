import type { BenchmarkCase } from '../results.ts';
import {
  bestOfStrategy,
  caseLabel,
  contenderLabel,
  cpuPerMillion,
  ETL,
  rowsPerSecond,
  scenariosOf,
  STRATEGY_ORDER,
  totalCpuPerMillion,
} from './case-figures.ts';
import { formatCount, formatRatio } from './numbers.ts';
import { number, text, type Section } from './page-model.ts';

/** Throughput by strategy, scenario by scenario: the scenarios differ in how much files overlap. */
export function throughputSection(cases: readonly BenchmarkCase[]): Section {
  const own = cases.filter((one) => one.contender === ETL && rowsPerSecond(one) !== null);
  const scenarios = scenariosOf(own);
  const series = STRATEGY_ORDER.map((strategy, color) => ({
    name: strategy,
    color,
    best: scenarios.map((scenario) => bestOfStrategy(own, scenario, strategy)),
  })).filter(({ best }) => best.some((one) => one !== null));
  const measured = scenarios.flatMap((_, place) => series.flatMap(({ best }) => best[place] ?? []));
  return {
    id: 'throughput',
    title: 'Throughput by strategy and overlap',
    lead: 'Rows per second by the median of the runs; each strategy at the concurrency that served it best.',
    empty: 'No run of the engine was measured.',
    figures:
      measured.length === 0
        ? []
        : [
            {
              title: 'Rows per second',
              chart: {
                kind: 'bars',
                stacked: false,
                logarithmic: false,
                axis: 'rows per second',
                labels: scenarios,
                series: series.map(({ name, color, best }) => ({
                  ...{ name, color },
                  values: best.map((one) => (one === null ? null : rowsPerSecond(one))),
                })),
              },
              table: {
                columns: [
                  ...[text('Scenario'), text('Strategy'), number('Workers'), number('Rows')],
                  ...[number('Rows/s'), number('CPU s per million rows')],
                ],
                rows: measured.map((one) => [
                  ...[one.scenario, contenderLabel(one), formatCount(one.concurrency)],
                  ...[formatCount(one.rows), formatCount(rowsPerSecond(one))],
                  formatRatio(totalCpuPerMillion(one)),
                ]),
              },
            },
          ],
  };
}

/** Who spends the CPU: the client or the server. */
export function cpuSection(cases: readonly BenchmarkCase[]): Section {
  const figures = scenariosOf(cases).flatMap((scenario) => {
    const own = STRATEGY_ORDER.map((strategy) => bestOfStrategy(cases, scenario, strategy));
    const peers = cases.filter((one) => one.scenario === scenario && one.contender !== ETL);
    const shown = [...own, ...peers]
      .filter((one) => one !== null)
      .filter((one) => cpuPerMillion(one, 'clientCpuMs') !== null);
    if (shown.length === 0) return [];
    const side = (name: string, color: number, of: 'clientCpuMs' | 'serverCpuMs') => ({
      ...{ name, color },
      values: shown.map((one) => cpuPerMillion(one, of)),
    });
    return [
      {
        title: scenario,
        chart: {
          kind: 'bars' as const,
          stacked: true,
          logarithmic: false,
          axis: 'CPU seconds per million rows',
          labels: shown.map(caseLabel),
          series: [side('client', 0, 'clientCpuMs'), side('server', 1, 'serverCpuMs')],
        },
        table: {
          columns: [text('Contender'), number('Client'), number('Server'), number('Together')],
          rows: shown.map((one) => [
            caseLabel(one),
            formatRatio(cpuPerMillion(one, 'clientCpuMs')),
            formatRatio(cpuPerMillion(one, 'serverCpuMs')),
            formatRatio(totalCpuPerMillion(one)),
          ]),
        },
      },
    ];
  });
  return {
    id: 'cpu',
    title: 'CPU per million rows',
    lead: 'Seconds of CPU, of the client with its threads and children and of the server with all its processes. The server is unknown where it is on another machine.',
    empty: 'No run was measured.',
    figures,
  };
}
