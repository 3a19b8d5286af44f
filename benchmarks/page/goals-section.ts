import { goalOutcomes, worstText } from '../goal-outcomes.ts';
import type { Ratio } from '../results.ts';
import { number, text, type Section } from './page-model.ts';

/** What the benchmark must show: every goal, what was measured of it, and how to measure the rest. */
export function goalsSection(ratios: readonly Ratio[]): Section {
  const outcomes = goalOutcomes(ratios);
  const measured = outcomes.filter(({ worst }) => worst !== null);
  const reached = measured.filter(({ verdict }) => verdict !== 'MISSED').length;
  const rows = outcomes.map((outcome) => [
    ...[outcome.work, outcome.against, outcome.reach, outcome.verdict, worstText(outcome)],
    `${outcome.reached} of ${outcome.measured} of ${Math.max(outcome.parts, outcome.measured)}`,
    outcome.verdict === 'reached' ? '' : `etl benchmark ${outcome.measure}`,
  ]);
  return {
    id: 'goals',
    title: 'What the benchmark must show',
    lead: `${reached} of the ${measured.length} goals that were measured are reached; ${outcomes.length - measured.length} were not measured here.`,
    empty: 'There are no goals.',
    figures: [
      {
        title: 'Goals',
        chart: null,
        table: {
          columns: [
            ...[text('Work'), text('Against'), text('To be reached'), text('Verdict')],
            ...[text('Farthest part'), number('Parts reached of measured of all')],
            text('Measured by'),
          ],
          rows,
        },
      },
    ],
  };
}
