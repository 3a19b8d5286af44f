import type { SourceFile } from '../../source/source-file.ts';

/** Some of the rows, as a file. */
export interface SpoolFile {
  readonly file: SourceFile;
  /** Index of its first row among all rows. */
  readonly first: number;
  /** Indices of rows, in order, that would be in the file and were bad. */
  readonly gaps: readonly number[];
}

/** Index among all rows of the file's record of that number, from 1. */
export function indexOfRecord({ first, gaps }: SpoolFile, record: number): number {
  let index = first + record - 1;
  for (const gap of gaps) {
    if (gap > index) break;
    index += 1;
  }
  return index;
}
