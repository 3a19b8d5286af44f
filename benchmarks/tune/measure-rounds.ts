import type { TuneRun } from './recommendation.ts';

/** More rounds than this change no median by much. */
export const ROUNDS_MAX = 5;

export interface RoundsOptions {
  readonly values: readonly number[];
  /** Measures one value. */
  readonly run: (value: number, round: number) => Promise<TuneRun>;
  /** After the first round no run begins that would probably end later. */
  readonly deadlineMs: number;
  readonly now: () => number;
}

/** Runs of the setting that is looked for. */
export async function measureRounds(options: RoundsOptions): Promise<readonly TuneRun[]> {
  const { values, run, deadlineMs, now } = options;
  const [first] = values;
  if (first === undefined) return [];
  let longestMs = 0;
  const timed = async (value: number, round: number): Promise<TuneRun> => {
    const began = now();
    const end = await run(value, round);
    longestMs = Math.max(longestMs, now() - began);
    return end;
  };
  const runs = [await timed(first, 0)];
  for (let round = 1; round <= ROUNDS_MAX; round += 1) {
    for (const value of rotated(values, round - 1)) {
      if (round > 1 && now() + longestMs > deadlineMs) return runs;
      runs.push(await timed(value, round));
    }
  }
  return runs;
}

/** Another order in each round, so that none always comes after the same, or at the same time. */
function rotated(values: readonly number[], by: number): readonly number[] {
  const start = by % values.length;
  const turned = [...values.slice(start), ...values.slice(0, start)];
  return by % 2 === 0 ? turned : turned.toReversed();
}
