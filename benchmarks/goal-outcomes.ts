import { GOALS, type Goal } from './goals.ts';
import type { Ratio } from './results.ts';

export interface GoalOutcome extends Goal {
  readonly verdict: 'reached' | 'MISSED' | 'reached in part' | 'not measured';
  /** The part that is farthest from its bound, or beyond it; null where nothing was measured. */
  readonly worst: Ratio | null;
  /** Parts that were measured, and those of them that are reached. */
  readonly measured: number;
  readonly reached: number;
}

/** Every goal, the unmeasured ones too, in the order in which they were set. */
export function goalOutcomes(ratios: readonly Ratio[]): readonly GoalOutcome[] {
  return Object.entries(GOALS).map(([id, goal]) => {
    const own = ratios.filter((ratio) => ratio.goal === id && ratio.reach !== null);
    const reached = own.filter(isReached).length;
    return {
      ...goal,
      verdict: verdictOf(own.length, reached, goal.parts),
      worst: own.toSorted((a, b) => distance(b) - distance(a))[0] ?? null,
      measured: own.length,
      reached,
    };
  });
}

export function isReached({ value, reach }: Ratio): boolean {
  return reach !== null && value <= reach;
}

/** `1.00, total CPU (…)`, or `5.15 × (…)` where the goal is told as a factor. */
export function worstText({ worst, inverted }: GoalOutcome): string {
  if (worst === null) return '';
  const { value, metric, name } = worst;
  if (inverted === true) return `${(1 / value).toFixed(value > 0.1 ? 2 : 0)} × (${name})`;
  return `${value.toFixed(value < 0.1 ? 3 : 2)} ${metric} (${name})`;
}

function verdictOf(measured: number, reached: number, parts: number): GoalOutcome['verdict'] {
  if (measured === 0) return 'not measured';
  if (reached < measured) return 'MISSED';
  return measured < parts ? 'reached in part' : 'reached';
}

/** How much of its bound a value takes; where the bound is nothing, anything is beyond it. */
function distance({ value, reach }: Ratio): number {
  if (reach === null) return 0;
  return reach === 0 ? (value > 0 ? Infinity : 0) : value / reach;
}
