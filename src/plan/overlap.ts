import type { KeyRange } from '../conflict/key-range.ts';
import { LIMITS } from '../limits.ts';
import { distinctKeys, newTally, rowsPerLightKey, tallyKey } from './distinct-keys.ts';
import type { KeyTally } from './distinct-keys.ts';
import { forEachKey, indexKeys, type KeyHashes } from './key-runs.ts';
import { meetsAnother } from './key-span.ts';
import { pairFiles } from './overlap-pairs.ts';
import { overlapSentence } from './overlap-sentence.ts';
import type { OverlapEstimate } from './plan-types.ts';

/** The sampled keys of one file. */
export interface FileKeys {
  /** Ordinal of the file in the load; the files are given in order. */
  readonly file: number;
  readonly name: string;
  /** Hash of the key of each sampled row; no NaN. */
  readonly keys: KeyHashes;
  /** Rows of the file, estimated where the sample is not complete. */
  readonly rows: number;
  readonly complete: boolean;
  /**
   * Whether the file seems to be sorted by its key. A sample is made of blocks of neighbouring
   * rows, which is as good as rows drawn one by one unless neighbours have neighbouring keys.
   */
  readonly ordered: boolean;
  readonly range: KeyRange | null;
}

export interface Overlap {
  readonly estimate: OverlapEstimate;
  /** Estimated rows per key inside one file. */
  readonly multiplicityInside: number;
}

/** With nothing seen, at most 3/n is there, with 95 % confidence: the rule of three. */
const RULE_OF_THREE = 3;

/**
 * What the sample says about keys that files share. A sample can prove an overlap, never its
 * absence: hence `missedShareMax`. All of it chooses speed; correctness is proved while loading.
 */
export function estimateOverlap(files: readonly FileKeys[]): Overlap {
  const index = indexKeys(files.map((file) => file.keys));
  const all = newTally();
  const inside = files.map(newTally);
  forEachKey(index, files.length, (run) => {
    let sampled = 0;
    let rows = 0;
    let squares = 0;
    let pairs = 0;
    for (let i = 0; i < run.length; i++) {
      const file = files[run.files[i] ?? 0];
      const tally = inside[run.files[i] ?? 0];
      const count = run.counts[i] ?? 0;
      if (file === undefined || tally === undefined) continue;
      const own = count * rowWeight(file);
      const ownPairs = (count * (count - 1) * pairWeight(file)) / 2;
      tallyKey(tally, count, own, ownPairs);
      sampled += count;
      rows += own;
      squares += own * own;
      pairs += ownPairs;
    }
    // (a + b + …)² - a² - b² - … is twice the number of pairs between files.
    tallyKey(all, sampled, rows, pairs + (rows * rows - squares) / 2);
  });
  const distinctInside = files.map((file, i) => distinctOf(inside[i], file));
  const pairs = pairFiles(
    index,
    files.map((file, i) => ({
      file: file.file,
      distinct: distinctInside[i] ?? 0,
      seenChance: seenChance(file, inside[i]),
    })),
  );
  return summary(files, all, distinctInside, pairs);
}

/**
 * Of files of one key each, documents: what the tallies would say, without one for each of a hundred
 * thousand, which took half of the time of their plan. Null where two have the same key, which is for the
 * tallies.
 */
export function noneShared(hashes: Float64Array): Overlap | null {
  const keys = hashes.length;
  hashes.sort();
  for (let at = 1; at < keys; at++) if (hashes[at] === hashes[at - 1]) return null;
  const facts = { sampledKeys: keys, totalRows: keys, missedShareMax: 0, multiplicity: 1 };
  const told = { ...facts, pairs: [], filePairs: (keys * (keys - 1)) / 2, complete: true };
  const sentence = overlapSentence({ ...told, names: new Map() });
  return { estimate: { ...facts, pairs: [], sentence, sampled: true }, multiplicityInside: 1 };
}

function summary(
  files: readonly FileKeys[],
  all: KeyTally,
  distinctInside: readonly number[],
  pairs: OverlapEstimate['pairs'],
): Overlap {
  const totalRows = sum(files.map((file) => file.rows));
  const complete = files.every((file) => file.complete);
  // The head and the tail of sorted files are sampled in each, so their overlap is overestimated;
  // but all files together have no fewer keys than one of them.
  const distinct = Math.max(
    distinctKeys(all, totalRows, complete),
    distinctInside.reduce((most, inside) => Math.max(most, inside), 0),
  );
  const filePairs = (files.length * (files.length - 1)) / 2;
  const facts = {
    sampledKeys: sum(files.map((file) => file.keys.length)),
    totalRows,
    missedShareMax: pairs.length === filePairs ? 0 : missedShareMax(files),
    multiplicity: perKey(totalRows, distinct),
  };
  const names = new Map(files.map((file) => [file.file, file.name]));
  return {
    estimate: {
      ...facts,
      pairs: pairs.slice(0, LIMITS.planPairsMax),
      sentence: overlapSentence({ ...facts, pairs, filePairs, complete, names }),
      sampled: true,
    },
    multiplicityInside: perKey(totalRows, sum(distinctInside)),
  };
}

function rowWeight(file: FileKeys): number {
  return file.rows / file.keys.length;
}

/** Rows of one key in a sorted file are neighbours, so that a block has all of them or none. */
function pairWeight(file: FileKeys): number {
  const { rows, keys, ordered } = file;
  if (ordered) return rowWeight(file);
  return keys.length < 2 ? 1 : (rows * (rows - 1)) / (keys.length * (keys.length - 1));
}

function distinctOf(tally: KeyTally | undefined, file: FileKeys): number {
  return tally === undefined ? 0 : distinctKeys(tally, file.rows, file.complete);
}

/** Chance that a key that the file holds is in its sample. */
function seenChance(file: FileKeys, tally: KeyTally | undefined): number {
  if (file.complete || file.keys.length === 0 || tally === undefined) return 1;
  const unseen = 1 - Math.min(1, file.keys.length / file.rows);
  return 1 - unseen ** (file.ordered ? 1 : rowsPerLightKey(tally, file.rows));
}

/**
 * Upper bound (95 %) on the share of a file's keys that another file may hold though no shared key
 * was sampled: of N and M rows, n and m are sampled; S shared keys show S·(n/N)·(m/M) times, and
 * where that is 0, it is below 3 with 95 % confidence, so S/M is below 3·(N/n)/m. The largest over
 * all pairs, found without looking at each: the factors are at their largest in few files.
 *
 * Blocks of two sorted files rarely fall on the same keys, even where the files share many: then the
 * sample says nothing, unless the ranges of the files do not meet.
 */
function missedShareMax(files: readonly FileKeys[]): number {
  if (files.every((file) => file.complete)) return 0;
  const sorted = files.filter((file) => file.ordered && !file.complete);
  if (meetsAnother(sorted.map((file) => file.range)).includes(true)) return 1;
  const filled = files.filter((file) => file.rows > 0);
  if (filled.some((file) => file.keys.length === 0)) return 1;
  const byWeight = filled.toSorted((a, b) => rowWeight(b) - rowWeight(a)).slice(0, 2);
  const bySample = filled.toSorted((a, b) => a.keys.length - b.keys.length).slice(0, 2);
  const shares = byWeight.flatMap((one) =>
    bySample
      .filter((other) => other !== one)
      .map((other) => (RULE_OF_THREE * rowWeight(one)) / other.keys.length),
  );
  return Math.min(1, Math.max(0, ...shares));
}

function perKey(rows: number, distinct: number): number {
  return distinct === 0 ? 1 : Math.max(1, rows / distinct);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
