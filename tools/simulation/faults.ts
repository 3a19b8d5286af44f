import { EtlError } from '../../src/errors.ts';
import type { Random } from './random.ts';

/** What goes wrong in one run. */
export interface Faults {
  /** Chance that a step fails with an error that may pass. */
  readonly retryableChance: number;
  /** Chance that a merge commits and its answer is lost. */
  readonly doubtChance: number;
  /** Files that cannot be loaded in this run, and how it shows. */
  readonly poison: ReadonlyMap<number, PoisonKind>;
  /** Virtual time of the abort. */
  readonly abortAtMs: number | null;
}

/**
 * stage: a group keeps the files before it. stage-throws: nothing of the unit is staged.
 * merge: the merge keeps the files before it. merge-throws: the merge rolls all of it back.
 */
export type PoisonKind = 'stage' | 'stage-throws' | 'merge' | 'merge-throws';

export const NO_FAULTS: Faults = {
  retryableChance: 0,
  doubtChance: 0,
  poison: new Map(),
  abortAtMs: null,
};

export function randomFaults(fileCount: number, random: Random): Faults {
  const poison = new Map<number, PoisonKind>();
  const poisonCount = random.pick([0, 0, 1, 1, 2]);
  for (let count = 0; count < poisonCount; count += 1) {
    const kind = random.pick(['stage', 'stage', 'stage-throws', 'merge', 'merge-throws']);
    poison.set(random.integer(0, fileCount - 1), kind);
  }
  return {
    retryableChance: random.pick([0, 0, 0.05, 0.2]),
    doubtChance: random.pick([0, 0, 0.2]),
    poison,
    // Mostly early: half of all runs are over after a tenth of a second.
    abortAtMs: random.chance(0.25) ? 600 * random.next() ** 3 : null,
  };
}

export function poisonError(file: number): EtlError {
  return new EtlError('ETL_ROW_INVALID', `File ${file} is poison.`, '');
}

export function lostConnection(): EtlError {
  return new EtlError('ETL_SERVER', 'The connection was lost.', '', { socket: 'ECONNRESET' });
}

export function passingError(random: Random): EtlError {
  if (random.chance(0.5)) return lostConnection();
  return new EtlError('ETL_SERVER', 'A deadlock was broken.', '', { sqlState: '40P01' });
}
