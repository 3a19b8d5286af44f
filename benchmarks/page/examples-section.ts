import {
  comparedLoads,
  formatMsPerRow,
  type ComparedLoad,
  type ExampleResult,
} from '../examples/example-result.ts';
import { formatCount, formatMs, formatRatio, formatSize } from './numbers.ts';
import { number, text, type Figure, type Section } from './page-model.ts';

/** Real jobs: what their teams had reported beside what this run measured. */
export function examplesSection(results: readonly ExampleResult[]): Section {
  const loads = comparedLoads(results);
  const failed = results.filter(({ failed }) => failed !== null);
  return {
    id: 'examples',
    title: 'Examples',
    lead: 'Jobs of five teams, on generated data. Each team measured on a machine of its own, so the factors tell of orders of magnitude. Every table was checked against arithmetic.',
    empty: 'No example was run; see --example all.',
    figures: [
      ...(loads.length === 0 ? [] : [speedFigure(loads), loadsFigure(loads)]),
      ...(failed.length === 0 ? [] : [failedFigure(failed)]),
      ...results.flatMap((result) => (result.figures.length === 0 ? [] : [detailFigure(result)])),
    ],
  };
}

function speedFigure(loads: readonly ComparedLoad[]): Figure {
  const series = (name: string, color: number, valueOf: (one: ComparedLoad) => number) => ({
    ...{ name, color },
    values: loads.map(valueOf),
  });
  return {
    title: 'Milliseconds per row: reported and measured',
    chart: {
      kind: 'bars',
      stacked: false,
      logarithmic: true,
      axis: 'milliseconds per row (logarithmic)',
      labels: loads.map(labelOf),
      series: [
        series('reported', 1, ({ reported }) => reported.msPerRow),
        series('measured', 0, ({ msPerRow }) => msPerRow),
      ],
    },
    table: {
      columns: [
        ...[text('Example'), number('Before (ms)'), number('Reported (ms)'), number('Wanted (ms)')],
        ...[number('Measured (ms)'), number('Faster by'), number('Than wanted by')],
      ],
      rows: loads.map((one) => [
        labelOf(one),
        optional(one.reported.msPerRowBefore),
        formatMsPerRow(one.reported.msPerRow),
        optional(one.reported.msPerRowWanted),
        formatMsPerRow(one.msPerRow),
        `${formatCount(one.timesAsFast)} ×`,
        one.timesAsWanted === null ? '' : `${formatCount(one.timesAsWanted)} ×`,
      ]),
    },
  };
}

function loadsFigure(loads: readonly ComparedLoad[]): Figure {
  return {
    title: 'What the loads took',
    chart: null,
    table: {
      columns: [
        ...[text('Example'), text('Size'), text('Load'), number('Rows'), number('Wall (s)')],
        ...[number('Rows/s'), number('Client CPU (s)'), number('Peak RSS')],
        ...[number('Reported RSS'), number('Connections'), text('Table')],
      ],
      rows: loads.map((one) => [
        ...[one.example, one.size, one.what, formatCount(one.load.rows), formatMs(one.load.wallMs)],
        ...[formatCount(one.rowsPerSecond), formatMs(one.load.cpuMs)],
        formatSize(one.load.rssPeakBytes),
        one.reported.rssPeakBytes === null ? '' : formatSize(one.reported.rssPeakBytes),
        one.connectionsPeak === null ? '' : formatCount(one.connectionsPeak),
        'right',
      ]),
    },
  };
}

function failedFigure(failed: readonly ExampleResult[]): Figure {
  return {
    title: 'Examples that failed',
    chart: null,
    table: {
      columns: [text('Example'), text('Verdict'), text('Why')],
      rows: failed.map(({ name, failed: why }) => [name, 'WRONG', why ?? '']),
    },
  };
}

function detailFigure({ name, size, reported, figures }: ExampleResult): Figure {
  return {
    title: `${name} (${size}): ${reported.sentence}`,
    chart: null,
    table: {
      columns: [text('Figure'), number('Value'), text('Unit'), text('Reported')],
      rows: figures.map((figure) => [
        ...[figure.what.trim(), valueText(figure.value), figure.unit, figure.reported ?? ''],
      ]),
    },
  };
}

function labelOf({ example, what }: ComparedLoad): string {
  return `${example}: ${what}`;
}

function optional(ms: number | null): string {
  return ms === null ? '' : formatMsPerRow(ms);
}

function valueText(value: number): string {
  return value < 100 ? formatRatio(value) : formatCount(value);
}
