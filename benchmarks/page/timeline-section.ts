import type { BenchmarkCase, RunMeasurement, TimelineSpan } from '../results.ts';
import {
  bestOfStrategy,
  caseLabel,
  countedRuns,
  scenariosOf,
  STRATEGY_ORDER,
} from './case-figures.ts';
import { formatMs } from './numbers.ts';
import { number, text, type Figure, type Section } from './page-model.ts';

/** Lanes of one plot, and rows of one table; the JSON report has them all. */
const LANES_MAX = 40;
const SPANS_LISTED_MAX = 200;

const PHASES = ['stage', 'wait', 'merge'] as const;

/** What each file went through in one run of each strategy: the run of median time. */
export function timelineSection(cases: readonly BenchmarkCase[]): Section {
  return {
    id: 'timeline',
    title: 'Timeline of a run',
    lead: 'A lane for each file: staging, waiting for its turn, merging. Of each strategy the run of median time, at the concurrency that served it best.',
    empty: 'No run has a timeline.',
    figures: scenariosOf(cases).flatMap((scenario) => {
      const shown = STRATEGY_ORDER.flatMap((strategy) => {
        const one = bestOfStrategy(cases, scenario, strategy);
        const run = one === null ? null : middleRun(one);
        return one === null || run === null ? [] : [{ one, run }];
      });
      const ends = shown.flatMap(({ run }) => run.timeline.map(({ toMs }) => toMs));
      const axisMax = ends.reduce((last, end) => Math.max(last, end), 0) / 1_000;
      return shown.map(({ one, run }) => figureOf(one, run, axisMax));
    }),
  };
}

function middleRun(one: BenchmarkCase): RunMeasurement | null {
  const runs = countedRuns(one)
    .filter((run) => run.timeline.length > 0)
    .sort((a, b) => a.wallMs - b.wallMs);
  return runs[(runs.length - 1) >> 1] ?? null;
}

function figureOf(one: BenchmarkCase, { timeline }: RunMeasurement, axisMax: number): Figure {
  const files = [...new Set(timeline.map((span) => span.file))];
  const lanes = files.slice(0, LANES_MAX);
  const hidden = files.length - lanes.length;
  const listed = timeline.slice(0, SPANS_LISTED_MAX);
  const unlisted = timeline.length - listed.length;
  const more = unlisted > 0 ? [[`and ${unlisted} more in the JSON report`, '', '', '']] : [];
  return {
    title: `${one.scenario}: ${caseLabel(one)}${hidden > 0 ? ` (the first ${LANES_MAX} of ${files.length} files)` : ''}`,
    chart: {
      kind: 'spans',
      axis: 'seconds',
      axisMax,
      labels: lanes,
      series: PHASES.map((phase, color) => ({
        ...{ name: phase, color },
        spans: timeline
          .filter((span) => span.phase === phase && lanes.includes(span.file))
          .map((span) => spanOn(lanes, span)),
      })),
    },
    table: {
      columns: [text('File'), text('Phase'), number('From (s)'), number('To (s)')],
      rows: [
        ...listed.map(({ file, phase, fromMs, toMs }) => [
          ...[file, phase, formatMs(fromMs), formatMs(toMs)],
        ]),
        ...more,
      ],
    },
  };
}

function spanOn(lanes: readonly string[], { file, fromMs, toMs }: TimelineSpan) {
  return { lane: lanes.indexOf(file), from: fromMs / 1_000, to: toMs / 1_000 };
}
