import { assert, present } from '../assert.ts';

/**
 * The predicted conflicts between units of work, made from the shares that the sample estimated for
 * pairs of files. Everything here is estimate: it chooses strategy and speed, never correctness.
 * Units are numbered in order of precedence, so every edge leads from a lower to a higher number and
 * the graph cannot have a cycle.
 */
export interface FilePair {
  readonly earlier: number;
  readonly later: number;
  /** Estimated share (0 to 1) of the keys of `later` that `earlier` holds, too. */
  readonly share: number;
}

export interface UnitEdge {
  readonly before: number;
  readonly after: number;
  /** Estimated share (0 to 1) of the keys of `after` that `before` holds, too. */
  readonly share: number;
}

export interface Grouping {
  /** For each unit, the ordinals of its files. A file that is in no unit (skipped) has no edges. */
  readonly unitFiles: readonly (readonly number[])[];
  /** Estimated rows of each file, by ordinal. */
  readonly fileRows: readonly number[];
}

/**
 * Edges between units, by `before`, then `after`. A unit's share is the share of its files weighed
 * by their rows; files of one unit do not conflict, since they merge together. An edge needs a share
 * above `shareAbove`: with 0, one shared key that was sampled is enough.
 */
export function conflictEdges(
  pairs: readonly FilePair[],
  grouping: Grouping,
  shareAbove: number,
): UnitEdge[] {
  if (pairs.length === 0) return [];
  const unitOf = new Map(
    grouping.unitFiles.flatMap((files, unit) => files.map((file) => [file, unit] as const)),
  );
  const sharedRows = new Map<number, Map<number, number>>();
  for (const { earlier, later, share } of pairs) {
    const before = unitOf.get(earlier);
    const after = unitOf.get(later);
    if (before === undefined || after === undefined || before === after) continue;
    assert(before < after, 'an earlier file is in an earlier unit');
    const rows = present(grouping.fileRows[later], 'the rows of a file') * share;
    const row = sharedRows.get(before) ?? new Map<number, number>();
    row.set(after, (row.get(after) ?? 0) + rows);
    sharedRows.set(before, row);
  }
  const unitRows = grouping.unitFiles.map((files) =>
    files.reduce((sum, file) => sum + (grouping.fileRows[file] ?? 0), 0),
  );
  return [...sharedRows]
    .flatMap(([before, row]) =>
      [...row].map(([after, rows]) => {
        const all = present(unitRows[after], 'the rows of a unit');
        return { before, after, share: all === 0 ? 0 : Math.min(1, rows / all) };
      }),
    )
    .filter(({ share }) => share > shareAbove)
    .sort((a, b) => a.before - b.before || a.after - b.after);
}

export interface CriticalPath {
  /** The sum of the weights along the path: what no concurrency can beat. */
  readonly weight: number;
  readonly units: readonly number[];
}

/** The heaviest chain of units that must merge one after another. `weights` may be seconds. */
export function criticalPath(
  weights: readonly number[],
  edges: readonly Pick<UnitEdge, 'before' | 'after'>[],
): CriticalPath {
  const weightTo = [...weights];
  const via = new Map<number, number>();
  // Ascending by `before`, each unit's own weight is final when its edges are followed.
  for (const { before, after } of edges.toSorted((a, b) => a.before - b.before)) {
    assert(before < after && after < weights.length, 'an edge leads to a later unit');
    const weight =
      present(weightTo[before], 'a weight') + present(weights[after], 'the weight of a unit');
    if (weight > present(weightTo[after], 'a weight')) {
      weightTo[after] = weight;
      via.set(after, before);
    }
  }
  const weight = weightTo.reduce((heaviest, each) => Math.max(heaviest, each), 0);
  const units: number[] = [];
  let unit: number | undefined = weightTo.length === 0 ? undefined : weightTo.indexOf(weight);
  for (; unit !== undefined && unit >= 0; unit = via.get(unit)) units.unshift(unit);
  return { weight, units };
}
