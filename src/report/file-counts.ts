import type { Counts, FileReport } from '../run/report-types.ts';
import { formatCount } from './format.ts';

/** The counts of a file, of several files summed, or of a load. Null: not attributable. */
export type MaybeCounts = { readonly [K in keyof Counts]: number | null };

export const COUNT_NAMES = [
  'rowsRead',
  'inserted',
  'updated',
  'unchanged',
  'superseded',
  'rejected',
] as const satisfies readonly (keyof Counts)[];

/** Sums of the counts of several files; null as soon as one of them is not known. */
export function sumCounts(files: readonly MaybeCounts[]): MaybeCounts {
  const sum = (name: keyof Counts): number | null =>
    files.reduce<number | null>((total, file) => addKnown(total, file[name]), 0);
  return {
    rowsRead: sum('rowsRead'),
    inserted: sum('inserted'),
    updated: sum('updated'),
    unchanged: sum('unchanged'),
    superseded: sum('superseded'),
    rejected: sum('rejected'),
  };
}

/** `500,000 rows read, 400,000 inserted, 100,000 updated`: what is zero or not known is left out. */
export function countsSentence(counts: MaybeCounts): string {
  const parts = COUNT_NAMES.flatMap((name) => {
    const count = counts[name];
    if (count === null) return [];
    if (name === 'rowsRead') return [`${formatCount(count)} rows read`];
    return count === 0 ? [] : [`${formatCount(count)} ${name}`];
  });
  return parts.join(', ');
}

/**
 * Milliseconds of work on a file: staged and merged. Waiting for an earlier file is left out, since
 * it says something about the other file, not about this one. Null where neither is known.
 */
export function workMs(file: FileReport): number | null {
  if (file.stageMs === null && file.mergeMs === null) return null;
  return (file.stageMs ?? 0) + (file.mergeMs ?? 0);
}

function addKnown(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
