import { isEqualRecord, RECORD_LANES } from './record-hash.ts';

/** The records of some files, one file after another, hashed; see source/csv/hash-records.ts. */
export interface HashedFiles {
  /** Records of each file. */
  readonly counts: readonly number[];
  /** Four 32-bit lanes a record; zeros are equal to no row. */
  readonly lanes: Uint32Array;
}

/** Where rows are looked for before they are looked for among all records. */
export interface FileOrder {
  /** Whether it is the next record of a file, the one that had the last first. */
  markNext(row: Uint32Array): boolean;
  /** Whether it is one of those that come soon in a file. */
  markNear(row: Uint32Array): boolean;
  /** The next row may be the record behind this one. */
  goBehind(record: number): void;
}

/** Files whose next records are looked at. */
const CURSORS_MAX = 16;
/** Records that are looked at of one file, those of some 25 pages. */
const NEAR_MAX = 2048;
/** Near records one behind the other from which on they are the file's order. */
const RUN_MIN = 4;
/** Looks at near records, all in all, for each record: some 20 ms for 1.5 million. */
const LOOKS_PER_RECORD = 8;

/**
 * Mostly rows lie in the order in which workers have brought them, a page of one file and then a page of
 * another, but for some that came later and were small enough for the rest of a page that had no room for
 * the row after it. Such a one is near, and the file goes on where it was: of 1.5 million rows that two
 * workers brought 2,300 are, all but 17 of them within 800 records.
 */
export function createFileOrder({ counts, lanes }: HashedFiles, found: Uint8Array): FileOrder {
  const starts = startsOf(counts);
  const ends = starts.map((start, file) => start + (counts[file] as number));
  const cursors = [...starts];
  const tried = Math.min(CURSORS_MAX, cursors.length);
  let looksLeft = (LOOKS_PER_RECORD * lanes.length) / RECORD_LANES;
  let file = 0;
  /** Behind the last record that was found near, and how many were, one behind the other. */
  let behind = -1;
  let run = 0;

  const fileAt = (step: number): number => (step === 0 ? file : (file + step) % cursors.length);
  const goTo = (record: number): void => {
    const end = ends[file] as number;
    let next = record;
    while (next < end && found[next] === 1) next += 1;
    cursors[file] = next;
  };
  const nearIn = (one: number, row: Uint32Array): number => {
    const next = cursors[one] as number;
    const end = Math.min(next + NEAR_MAX, ends[one] as number);
    let record = next + 1;
    while (record < end && !isEqualRecord(lanes, record, row, 0)) record += 1;
    looksLeft -= record - next;
    return record < end ? record : -1;
  };
  return {
    markNext: (row) => {
      for (let step = 0; step < tried; step++) {
        const one = fileAt(step);
        const record = cursors[one] as number;
        if (record === ends[one] || !isEqualRecord(lanes, record, row, 0)) continue;
        found[record] = 1;
        file = one;
        goTo(record + 1);
        run = 0;
        return true;
      }
      return false;
    },
    markNear: (row) => {
      for (let step = 0; step < tried && looksLeft > 0; step++) {
        const one = fileAt(step);
        const record = nearIn(one, row);
        if (record === -1) continue;
        found[record] = 1;
        run = record === behind ? run + 1 : 1;
        behind = record + 1;
        // The one at the cursor lies elsewhere, and the file goes on here.
        if (run === RUN_MIN) {
          file = one;
          goTo(behind);
        }
        return true;
      }
      return false;
    },
    goBehind: (record) => {
      file = lastUpTo(starts, record);
      goTo(record + 1);
    },
  };
}

/** The place of the last of these rising numbers that is not above the value. */
function lastUpTo(numbers: readonly number[], value: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((numbers[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The number of each file's first record. */
export function startsOf(counts: readonly number[]): number[] {
  let start = 0;
  return counts.map((count) => {
    const first = start;
    start += count;
    return first;
  });
}
