import type { BenchmarkCase } from '../results.ts';
import {
  ETL,
  fastest,
  rowsPerSecond,
  scenariosOf,
  STRATEGY_ORDER,
  totalCpuPerMillion,
} from './case-figures.ts';
import { formatCount, formatRatio } from './numbers.ts';
import { number, text, type Figure, type Section } from './page-model.ts';

/** What more workers bring, and what they cost, where a strategy was run with several numbers. */
export function scalingSection(cases: readonly BenchmarkCase[]): Section {
  const own = cases.filter(
    (one) => one.contender === ETL && one.concurrency !== null && rowsPerSecond(one) !== null,
  );
  return {
    id: 'scaling',
    title: 'Scaling by concurrency',
    lead: 'On a machine with few cores the rows per second cannot grow with the workers; then the CPU per row should stay flat.',
    empty: 'No strategy was measured with more than one number of workers.',
    figures: scenariosOf(own).flatMap((scenario) =>
      figuresOf(
        scenario,
        own.filter((one) => one.scenario === scenario),
      ),
    ),
  };
}

function figuresOf(scenario: string, own: readonly BenchmarkCase[]): Figure[] {
  const workers = [...new Set(own.map((one) => one.concurrency ?? 0))].sort((a, b) => a - b);
  const lines = STRATEGY_ORDER.map((strategy, color) => ({
    name: strategy,
    color,
    points: workers.map((count) =>
      fastest(own.filter((one) => one.strategy === strategy && one.concurrency === count)),
    ),
  })).filter(({ points }) => points.filter((point) => point !== null).length > 1);
  if (lines.length === 0) return [];
  const figure = (
    axis: string,
    valueOf: (one: BenchmarkCase) => number | null,
    format: (value: number | null) => string,
  ): Figure => {
    const series = lines.map(({ name, color, points }) => ({
      ...{ name, color },
      values: points.map((one) => (one === null ? null : valueOf(one))),
    }));
    return {
      title: `${scenario}: ${axis}`,
      chart: { kind: 'lines', axis, labelAxis: 'workers', labels: workers.map(String), series },
      table: {
        columns: [text('Strategy'), ...workers.map((count) => number(`${count}`))],
        rows: series.map(({ name, values }) => [name, ...values.map(format)]),
      },
    };
  };
  return [
    figure('rows per second', rowsPerSecond, formatCount),
    figure('CPU seconds per million rows', totalCpuPerMillion, formatRatio),
  ];
}
