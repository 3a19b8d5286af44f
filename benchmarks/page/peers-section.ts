import type { BenchmarkCase } from '../results.ts';
import { caseLabel, ETL, fastest, rowsPerSecond, scenariosOf, wrongRuns } from './case-figures.ts';
import { formatCount, formatRatio } from './numbers.ts';
import { number, text, type Figure, type Section } from './page-model.ts';

/** What people use instead, beside the engine at its best, on the same rows. */
export function peersSection(cases: readonly BenchmarkCase[]): Section {
  const scenarios = scenariosOf(cases.filter((one) => one.contender !== ETL));
  return {
    id: 'peers',
    title: 'Peers',
    lead: 'Rows per second: the engine at its fastest beside what people use instead. The scale is logarithmic where they are more than ten times apart. Peers too slow for all rows had fewer.',
    empty: 'No peer was run.',
    figures: scenarios.flatMap((scenario) =>
      figureOf(
        scenario,
        cases.filter((one) => one.scenario === scenario),
      ),
    ),
  };
}

function figureOf(scenario: string, cases: readonly BenchmarkCase[]): Figure[] {
  const own = fastest(cases.filter((one) => one.contender === ETL));
  const peers = cases.filter((one) => one.contender !== ETL);
  const shown = [...(own === null ? [] : [own]), ...peers]
    .filter((one) => rowsPerSecond(one) !== null)
    .sort((a, b) => (rowsPerSecond(b) ?? 0) - (rowsPerSecond(a) ?? 0));
  const speeds = (of: (one: BenchmarkCase) => boolean): (number | null)[] =>
    shown.map((one) => (of(one) ? rowsPerSecond(one) : null));
  const absent = peers.filter((one) => rowsPerSecond(one) === null);
  const labels = shown.map((one) => (one === own ? `etl ${caseLabel(one)}` : caseLabel(one)));
  const speed = own === null ? null : rowsPerSecond(own);
  const logarithmic = spreadOf(shown.map(rowsPerSecond)) > SPREAD_LINEAR_MAX;
  return [
    {
      title: scenario,
      chart:
        shown.length === 0
          ? null
          : {
              kind: 'bars',
              stacked: true,
              logarithmic,
              axis: `rows per second${logarithmic ? ' (logarithmic)' : ''}`,
              labels,
              series: [
                { name: 'etl', color: 0, values: speeds((one) => one === own) },
                { name: 'peers', color: 1, values: speeds((one) => one !== own) },
              ],
            },
      table: {
        columns: [
          ...[text('Contender'), number('Rows'), number('Rows/s'), number('etl is faster by')],
          text('Table'),
        ],
        rows: [
          ...shown.map((one, place) => [
            ...[labels[place] ?? '', formatCount(one.rows), formatCount(rowsPerSecond(one))],
            one === own ? '' : formatTimes(speed, rowsPerSecond(one)),
            verdictOf(one),
          ]),
          ...absent.map((one) => [one.contender, '', '', '', one.skipped ?? 'no counted run']),
        ],
      },
    },
  ];
}

/** Within a power of ten a logarithmic axis has one number on it, and makes bars look far apart. */
const SPREAD_LINEAR_MAX = 10;

/** The largest as a multiple of the smallest. */
function spreadOf(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? 1 : Math.max(...known) / Math.min(...known);
}

function formatTimes(own: number | null, peer: number | null): string {
  return own === null || peer === null || peer === 0 ? '' : `${formatRatio(own / peer)} ×`;
}

function verdictOf(one: BenchmarkCase): string {
  const wrong = wrongRuns(one);
  return wrong === 0 ? 'right' : `WRONG in ${wrong} of ${one.runs.length} runs`;
}
