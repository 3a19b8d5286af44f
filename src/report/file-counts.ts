import type { KnownCounts } from '../target/known-counts.ts';
import type { Counts, FileReport } from '../run/report-types.ts';
import { formatCount } from './format.ts';

export const COUNT_NAMES = [
  'rowsRead',
  'inserted',
  'updated',
  'unchanged',
  'superseded',
  'rejected',
] as const satisfies readonly (keyof Counts)[];

/** `500,000 rows read, 400,000 inserted, 100,000 updated`: what is zero or not known is left out. */
export function countsSentence(counts: KnownCounts): string {
  const parts = COUNT_NAMES.flatMap((name) => {
    const count = counts[name];
    if (count === null) return [];
    if (name === 'rowsRead') return [`${formatCount(count)} row${count === 1 ? '' : 's'} read`];
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
