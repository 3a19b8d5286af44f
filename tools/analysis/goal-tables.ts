import { goalOutcomes, isReached, worstText } from '../../benchmarks/goal-outcomes.ts';
import { ratiosOf } from '../../benchmarks/ratios.ts';
import type { Ratio } from '../../benchmarks/results.ts';
import { markdownTable } from '../markdown.ts';
import { casesOf, latestFirst, type KeptResults } from './kept-results.ts';

/** Every goal, the unmeasured ones too, over all kept results. */
export function goalTable(kept: readonly KeptResults[]): string {
  const rows = goalOutcomes(ratiosOfKept(kept)).map((outcome) => {
    const { work, against, reach, verdict, measured, parts, worst } = outcome;
    const share = worst === null ? '' : `${measured} of ${Math.max(measured, parts)}`;
    const shown = verdict === 'MISSED' ? '**missed**' : verdict;
    return [work, against, reach, worstText(outcome), share, shown];
  });
  const head = ['Work', 'Against', 'To be reached', 'Farthest part', 'Parts measured', 'Verdict'];
  return markdownTable(head, rows);
}

/** The parts of the goals, but for the choices of auto, which have a table of their own. */
export function ratioTable(kept: readonly KeptResults[]): string {
  const rows = ratiosOfKept(kept).flatMap((ratio) => {
    const { name, metric, value, reach, goal } = ratio;
    if (reach === null || goal === 'choice') return [];
    const digits = value < 0.1 ? 3 : 2;
    const reached = isReached(ratio) ? 'yes' : '**no**';
    return [[name, metric, value.toFixed(digits), reach.toFixed(reach < 0.1 ? 3 : 2), reached]];
  });
  return markdownTable(['Work', 'Measure', 'Measured', 'At most', 'Reached'], rows);
}

/**
 * Of each run by itself, since a ratio of two runs would be one of two moments; the latest of each. What
 * auto is compared with has a name of its own in each run, so that there the latest run of a scenario counts.
 */
function ratiosOfKept(kept: readonly KeptResults[]): readonly Ratio[] {
  const choices = ratiosOf(casesOf(kept)).filter(isChoice);
  const latest = new Map<string, Ratio>();
  for (const { results } of latestFirst(kept)) {
    for (const ratio of ratiosOf(results.cases)) {
      const name = `${ratio.name}: ${ratio.metric}`;
      if (!isChoice(ratio) && !latest.has(name)) latest.set(name, ratio);
    }
  }
  return [...latest.values(), ...choices];
}

function isChoice({ goal }: Ratio): boolean {
  return goal === 'choice';
}
