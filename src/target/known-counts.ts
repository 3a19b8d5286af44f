import type { Counts } from './counts.ts';

/** Counts of rows; null: not known of this file alone, since one statement merged it with others. */
export type KnownCounts = { readonly [Name in keyof Counts]: number | null };

export const NO_COUNTS: KnownCounts = {
  rowsRead: null,
  inserted: null,
  updated: null,
  unchanged: null,
  superseded: null,
  rejected: null,
};

/** Sums of the counts of several files; each null as soon as one of them does not know it. */
export function sumKnown(files: readonly KnownCounts[]): KnownCounts {
  const sum = (name: keyof Counts): number | null =>
    files.reduce<number | null>((total, { [name]: own }) => {
      return total === null || own === null ? null : total + own;
    }, 0);
  return {
    rowsRead: sum('rowsRead'),
    inserted: sum('inserted'),
    updated: sum('updated'),
    unchanged: sum('unchanged'),
    superseded: sum('superseded'),
    rejected: sum('rejected'),
  };
}
