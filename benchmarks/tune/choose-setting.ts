import { assert, present } from '../../src/assert.ts';
import { formatCount, formatCounted, formatShare } from '../../src/report/format.ts';
import { median } from '../medians.ts';
import { ROUNDS_SURE, type CandidateSpeed } from './recommendation.ts';

/** Slower than the fastest by no more than this is as good. */
const TOLERANCE = 0.05;

export interface Measured {
  readonly value: number;
  readonly round: number;
  readonly rowsPerSecond: number;
}

export interface Chosen {
  readonly value: number;
  readonly reason: string;
  /** Rounds that count. */
  readonly rounds: number;
  /** By value. */
  readonly candidates: readonly CandidateSpeed[];
}

/**
 * The smallest value within 5 % of the best throughput: what is smaller takes less of the server
 * that others use, too. `keep`: a value that stays where it is good enough, since a difference that
 * cannot be measured is no reason to change a file.
 *
 * A busy machine makes whole stretches of time slow, so a run is compared with the runs of its own
 * round only, and a candidate is judged by its median over the rounds: neither a slow round nor a
 * single slow run decides. A round that was cut short would favour the candidates that it lacks,
 * so it does not count unless there is no other.
 */
export function chooseSetting(measured: readonly Measured[], keep: number | null): Chosen {
  assert(measured.length > 0, 'a setting is chosen among measured values');
  const values = [...new Set(measured.map(({ value }) => value))].sort((a, b) => a - b);
  const rounds = countedRounds(measured, values.length);
  const candidates = speedsOf(values, rounds);
  const goodEnough = candidates.filter(({ share }) => share >= 1 - TOLERANCE);
  const kept = goodEnough.find(({ value }) => value === keep);
  const chosen = kept ?? present(goodEnough[0], 'the fastest candidate is good enough');
  const doubt = rounds.length < ROUNDS_SURE ? ` ${doubtOf(rounds.length)}` : '';
  const reason = reasonOf(chosen, candidates, kept) + doubt;
  return { value: chosen.value, reason, rounds: rounds.length, candidates };
}

/** Rounds in which every candidate ran; all, where there is none such. */
function countedRounds(measured: readonly Measured[], candidates: number): Measured[][] {
  const rounds = [...new Set(measured.map(({ round }) => round))].map((round) =>
    measured.filter((run) => run.round === round),
  );
  const complete = rounds.filter((runs) => runs.length === candidates);
  return complete.length > 0 ? complete : [[...measured]];
}

function speedsOf(values: readonly number[], rounds: readonly Measured[][]): CandidateSpeed[] {
  const candidates = values.map((value) => {
    const own = rounds.flatMap((runs) => {
      const mean = geometricMean(runs);
      return runs
        .filter((run) => run.value === value)
        .map(({ rowsPerSecond }) => ({ rowsPerSecond, relative: rowsPerSecond / mean }));
    });
    return {
      value,
      rowsPerSecond: median(own.map((run) => run.rowsPerSecond)) ?? 0,
      relative: median(own.map((run) => run.relative)) ?? 0,
    };
  });
  const best = Math.max(...candidates.map(({ relative }) => relative));
  return candidates.map(({ value, rowsPerSecond, relative }) => ({
    ...{ value, rowsPerSecond },
    share: relative / best,
  }));
}

function geometricMean(runs: readonly Measured[]): number {
  const logs = runs.map(({ rowsPerSecond }) => Math.log(Math.max(rowsPerSecond, 1e-9)));
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

function doubtOf(rounds: number): string {
  return `Not sure: measured in ${formatCounted(rounds, 'round')} only; more minutes make it so, and --apply leaves it until then.`;
}

function reasonOf(
  chosen: CandidateSpeed,
  candidates: readonly CandidateSpeed[],
  kept: CandidateSpeed | undefined,
): string {
  const speed = `${formatCount(chosen.rowsPerSecond)} rows/s`;
  const [only] = candidates;
  if (candidates.length === 1 && only !== undefined) return `No other value could be measured.`;
  const fastest = candidates.find(({ share }) => share === 1);
  if (fastest === chosen) return `The fastest, ${speed}.`;
  const behind = `${formatShare(1 - chosen.share)} slower than ${fastest?.value ?? ''}`;
  const why = kept === undefined ? 'the smallest that is' : 'stays, since it is';
  return `${speed}: ${why} at most ${formatShare(TOLERANCE)} slower than the fastest (${behind}).`;
}
