import type { ChartType } from 'chart.js';

/** What the page shows, as plain data: sections made by TypeScript, drawn by HTML and Chart.js. */
export interface Section {
  /** Anchor. */
  readonly id: string;
  readonly title: string;
  readonly lead: string;
  readonly figures: readonly Figure[];
  /** What stands there when there is no figure. */
  readonly empty: string;
}

/** A plot, where numbers can be drawn, and always its data as a table. */
export interface Figure {
  readonly title: string;
  readonly chart: Chart | null;
  readonly table: DataTable;
}

export interface DataTable {
  readonly columns: readonly DataColumn[];
  readonly rows: readonly (readonly string[])[];
}

export interface DataColumn {
  readonly title: string;
  readonly numeric: boolean;
}

/** Plain JSON: it goes into the page as it is, and the page's script draws it. */
export type Chart = BarChart | LineChart | SpanChart;

export interface BarChart {
  readonly kind: 'bars';
  readonly stacked: boolean;
  readonly logarithmic: boolean;
  /** Title of the axis of values. */
  readonly axis: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
}

export interface LineChart {
  readonly kind: 'lines';
  readonly axis: string;
  /** Title of the axis of labels. */
  readonly labelAxis: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  /** Index into the page's palette: the same thing has the same colour in every plot. */
  readonly color: number;
  /** One for each label; null where nothing was measured. */
  readonly values: readonly (number | null)[];
}

/** Lanes with spans of time on them. */
export interface SpanChart {
  readonly kind: 'spans';
  readonly axis: string;
  /** Where the axis ends, so that plots of one scenario can be compared. */
  readonly axisMax: number;
  readonly labels: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly color: number;
    readonly spans: readonly {
      readonly lane: number;
      readonly from: number;
      readonly to: number;
    }[];
  }[];
}

/** What Chart.js makes of each kind: spans of time are bars that float. */
export const CHART_TYPES = {
  bars: 'bar',
  lines: 'line',
  spans: 'bar',
} as const satisfies Record<Chart['kind'], ChartType>;

export function text(title: string): DataColumn {
  return { title, numeric: false };
}

export function number(title: string): DataColumn {
  return { title, numeric: true };
}
