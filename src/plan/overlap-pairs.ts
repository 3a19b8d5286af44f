import { LIMITS } from '../limits.ts';
import { HEAVY_KEY_SAMPLES } from './distinct-keys.ts';
import { forEachKey, type KeyIndex, type KeyRun } from './key-runs.ts';
import type { OverlapPair } from './plan-types.ts';

/** What pairing needs to know of each file, by its index. */
export interface PairedFile {
  /** Ordinal of the file in the load. */
  readonly file: number;
  /** Estimated distinct keys of the file. */
  readonly distinct: number;
  /** Chance that a key of the file is in its sample; keys that are sampled often aside. */
  readonly seenChance: number;
}

interface PairCount {
  shared: number;
  /** Estimated distinct keys that both files hold. */
  keys: number;
}

/**
 * The pairs of files that share sampled keys, the largest shares first. Only files that hold one and
 * the same key are ever paired, so files without overlap cost nothing, however many they are; of a
 * key in very many files some pairs are drawn and stand for all.
 */
export function pairFiles(index: KeyIndex, files: readonly PairedFile[]): OverlapPair[] {
  const counts = new Map<number, PairCount>();
  const count = (run: KeyRun, i: number, j: number, weight: number): void => {
    const [earlier, later] = [run.files[i] ?? 0, run.files[j] ?? 0];
    const pair = earlier * files.length + later;
    let entry = counts.get(pair);
    if (entry === undefined) {
      // Keys come in no order, so the pairs that share most are met long before this bound.
      if (counts.size >= LIMITS.overlapPairsCountedMax) return;
      entry = { shared: 0, keys: 0 };
      counts.set(pair, entry);
    }
    const chance =
      chanceOf(files[earlier], run.counts[i] ?? 0) * chanceOf(files[later], run.counts[j] ?? 0);
    entry.shared += weight;
    entry.keys += weight / chance;
  };
  const draw = drawer();
  forEachKey(index, files.length, (run) => pairRun(run, count, draw));
  return [...counts]
    .map(([pair, entry]) => pairOf(pair, entry, files))
    .sort((a, b) => b.share - a.share || a.earlier - b.earlier || a.later - b.later);
}

function pairRun(
  run: KeyRun,
  count: (run: KeyRun, i: number, j: number, weight: number) => void,
  draw: (below: number) => number,
): void {
  const pairs = (run.length * (run.length - 1)) / 2;
  if (pairs <= LIMITS.overlapPairsPerKeyMax) {
    for (let i = 0; i < run.length; i++) {
      for (let j = i + 1; j < run.length; j++) count(run, i, j, 1);
    }
    return;
  }
  const weight = pairs / LIMITS.overlapPairsPerKeyMax;
  for (let drawn = 0; drawn < LIMITS.overlapPairsPerKeyMax; drawn++) {
    const i = draw(run.length);
    const j = (i + 1 + draw(run.length - 1)) % run.length;
    count(run, Math.min(i, j), Math.max(i, j), weight);
  }
}

function pairOf(pair: number, entry: PairCount, files: readonly PairedFile[]): OverlapPair {
  const earlier = files[Math.floor(pair / files.length)];
  const later = files[pair % files.length];
  return {
    earlier: earlier?.file ?? 0,
    later: later?.file ?? 0,
    sharedSampledKeys: Math.max(1, Math.round(entry.shared)),
    share: Math.min(1, entry.keys / Math.max(1, later?.distinct ?? 1)),
  };
}

function chanceOf(file: PairedFile | undefined, sampled: number): number {
  return sampled >= HEAVY_KEY_SAMPLES ? 1 : (file?.seenChance ?? 1);
}

/** Numbers below a bound, always the same ones: the plan of the same files is the same. */
function drawer(): (below: number) => number {
  let state = 1;
  return (below) => {
    // Park and Miller's generator; its products stay below 2^53.
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
