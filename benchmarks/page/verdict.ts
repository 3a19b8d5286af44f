import { formatCounted } from '../../src/report/format.ts';
import type { ExampleResult } from '../examples/example-result.ts';
import { isReached } from '../goal-outcomes.ts';
import type { BenchmarkCase, BenchmarkResults, Ratio } from '../results.ts';
import { caseLabel, ETL, wrongRuns } from './case-figures.ts';
import { escaped, tableMarkup } from './markup.ts';
import { formatRatio } from './numbers.ts';
import { number, text } from './page-model.ts';

/** What comes first: whether the results can be believed at all. */
export function verdictMarkup({ cases, examples = [] }: BenchmarkResults): string {
  const jobs = examplesMarkup(examples);
  const runs = cases.reduce((sum, one) => sum + one.runs.length, 0);
  if (runs === 0) return jobs === '' ? '<p class="empty">Nothing was run.</p>' : jobs;
  const wrong = cases.filter((one) => wrongRuns(one) > 0);
  const own = wrong.filter((one) => one.contender === ETL);
  const peers = wrong.filter((one) => one.contender !== ETL);
  const right = runs - wrong.reduce((sum, one) => sum + wrongRuns(one), 0);
  return [
    !cases.some((one) => one.contender === ETL && one.runs.length > 0)
      ? ''
      : own.length === 0
        ? `<p class="verdict">Every run of etl left the table of a sequential load.</p>`
        : `<div class="alarm" role="alert"><h2>WRONG RESULTS</h2>
<p>etl left another table than a sequential load does. The speed of these cases means nothing:</p>
${listOf(own)}</div>`,
    `<p>${right} of ${runs} runs were checked and right.</p>`,
    jobs,
    peers.length === 0 ? '' : `<p>Peers that left a WRONG table:</p>\n${listOf(peers)}`,
  ].join('\n');
}

function examplesMarkup(examples: readonly ExampleResult[]): string {
  const failed = examples.filter((one) => one.failed !== null);
  if (examples.length === 0) return '';
  if (failed.length === 0)
    return `<p>${formatCounted(examples.length, 'example')} left the right tables.</p>`;
  const names = failed.map(({ name }) => escaped(name)).join(', ');
  return `<div class="alarm" role="alert"><h2>FAILED EXAMPLES</h2><p>${names}</p></div>`;
}

/** The goals, reached or missed in words. */
export function ratiosMarkup(ratios: readonly Ratio[]): string {
  const goals = ratios.filter(({ reach }) => reach !== null);
  const reached = goals.filter((ratio) => wordOf(ratio) === 'reached').length;
  const body =
    ratios.length === 0
      ? '<p class="empty">This suite compares nothing.</p>'
      : tableMarkup(
          {
            columns: [
              ...[text('Comparison'), text('Verdict'), number('Ratio'), number('Goal, at most')],
              text('Of'),
            ],
            rows: ratios.map((ratio) => [
              ...[ratio.name, wordOf(ratio), formatRatio(ratio.value), formatRatio(ratio.reach)],
              ratio.metric,
            ]),
          },
          'Ratios',
        );
  const sum = goals.length === 0 ? '' : ` ${reached} of ${goals.length} goals are reached.`;
  return `<section id="ratios"><h2>Ratios</h2>
<p>Of medians of one run, on the same machine and data; less is better.${escaped(sum)}</p>
${body}</section>`;
}

function wordOf(ratio: Ratio): string {
  if (ratio.reach === null) return 'no goal';
  return isReached(ratio) ? 'reached' : 'MISSED';
}

function listOf(cases: readonly BenchmarkCase[]): string {
  const items = cases.map(
    (one) =>
      `<li>${escaped(`${one.scenario}: ${caseLabel(one)}, in ${wrongRuns(one)} of ${one.runs.length} runs`)}</li>`,
  );
  return `<ul>${items.join('')}</ul>`;
}
