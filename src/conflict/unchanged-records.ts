import { assert } from '../assert.ts';
import { RECORD_LANES } from './record-hash.ts';

/** The records of some files, one file after another, hashed; see source/csv/hash-records.ts. */
export interface HashedFiles {
  /** Records of each file. */
  readonly counts: readonly number[];
  /** Four 32-bit lanes a record; zeros are equal to no row. */
  readonly lanes: Uint32Array;
  /** Two 32-bit lanes a record, of its key. */
  readonly keys: Uint32Array;
  /** 1 where no other spelling means the same key. */
  readonly plain: Uint8Array;
}

/** What of one file is to be loaded. */
export interface UnchangedOfFile {
  /** One byte per record, 1 for those to load. */
  readonly keep: Uint8Array;
  readonly kept: number;
  /** Of the others, those that are the first of their kind in the file; the rest repeats them. */
  readonly unchanged: number;
}

/**
 * Which records of a load change nothing, because the table holds them as they are. All records of
 * the load are known before the first row of the table is marked.
 *
 * A record may be left out where the table holds an equal row and nothing that is loaded touches that
 * row before it. Two rules say so; the first that can be applied is:
 *
 * - By key, where the key of each record without an equal row is spelled so that no other bytes mean
 *   it: then every equal record is left out whose key none of those has. All records of such a key
 *   equal the one row that has it, so none of them does anything, in whatever order they come.
 * - By order otherwise: the records before the first that has no equal row.
 *
 * A record between a change and the one that restores the old row is so never left out: by key, it has
 * the key of the change; by order, it comes after it.
 *
 * Keys are compared by 64 bits: two that share them cost a record that is sent, and no more. Records are
 * compared by 128 bits.
 */
export interface UnchangedRecords {
  /** A row of the table, by the four lanes from `at` on. */
  readonly mark: (lanes: Uint32Array, at: number) => void;
  /** By file. `complete`: no record of the load is missing among them. */
  decide(complete: boolean): UnchangedOfFile[];
}

export function findUnchangedRecords(files: HashedFiles): UnchangedRecords {
  const { counts, lanes, plain } = files;
  const total = plain.length;
  assert(lanes.length === total * RECORD_LANES, 'a record has all of its lanes');
  const found = new Uint8Array(total);
  const cursors = startsOf(counts);
  let file = 0;
  let index: RecordIndex | null = null;

  /** The file whose next record has these lanes, the one that had the last first; or -1. */
  const fileOf = (other: Uint32Array, at: number): number => {
    if (isNext(file, other, at)) return file;
    for (let one = 0; one < cursors.length && one < CURSORS_MAX; one++) {
      if (isNext(one, other, at)) return one;
    }
    return -1;
  };
  const isNext = (one: number, other: Uint32Array, at: number): boolean => {
    const record = cursors[one] as number;
    return record < total && isEqual(lanes, record, other, at);
  };

  return {
    mark: (other, at) => {
      if (isNone(other, at)) return;
      const here = fileOf(other, at);
      if (here !== -1) {
        const record = cursors[here] as number;
        found[record] = 1;
        cursors[here] = record + 1;
        file = here;
        return;
      }
      index ??= indexRecords(lanes, total);
      const record = index.find(other, at);
      if (record === -1) return;
      found[record] = 1;
      cursors[file] = record + 1;
    },
    decide: (complete) => {
      // Each row of the table has found another record; those left over may repeat one of these.
      if (found.includes(0)) index ??= indexRecords(lanes, total);
      const firstOf = index?.firstOf ?? null;
      if (firstOf !== null) spread(found, firstOf);
      const leftOut = (complete ? leftOutByKey(files, found) : null) ?? leftOutByOrder(found);
      return startsOf(counts).map((from, one) => ofFile(leftOut, firstOf, from, counts[one] ?? 0));
    },
  };
}

interface RecordIndex {
  /** Of each record the first that is equal to it: itself, where there is none before it. */
  readonly firstOf: Int32Array;
  /** The first record with these lanes, or -1. */
  find(other: Uint32Array, at: number): number;
}

/** Files whose next records are looked at, before a row is looked for among all records. */
const CURSORS_MAX = 16;

/** The number of each file's first record. */
function startsOf(counts: readonly number[]): number[] {
  let start = 0;
  return counts.map((count) => {
    const first = start;
    start += count;
    return first;
  });
}

/**
 * Made only once a row of the table is not the next record of any file: mostly the rows lie in the
 * order in which workers have brought them, and then nothing need be looked for. 1.5 million rows,
 * found in this order 0.1 s, by the index 0.45 s, of which 0.15 s are its making.
 */
function indexRecords(lanes: Uint32Array, total: number): RecordIndex {
  let capacity = 1024;
  while (capacity < total * 2) capacity *= 2;
  const mask = capacity - 1;
  /** Number of a record from 1, 0 for an empty slot. */
  const slots = new Int32Array(capacity);
  const firstOf = new Int32Array(total);
  /** The slot of the record with these lanes, or the empty one where it would be. */
  const slotOf = (other: Uint32Array, at: number): number => {
    let slot = (other[at] as number) & mask;
    for (;;) {
      const record = slots[slot] as number;
      if (record === 0 || isEqual(lanes, record - 1, other, at)) return slot;
      slot = (slot + 1) & mask;
    }
  };
  for (let record = 0; record < total; record++) {
    firstOf[record] = record;
    if (isNone(lanes, record * RECORD_LANES)) continue;
    const slot = slotOf(lanes, record * RECORD_LANES);
    const first = slots[slot] as number;
    if (first === 0) slots[slot] = record + 1;
    else firstOf[record] = first - 1;
  }
  return {
    firstOf,
    find: (other, at) => (slots[slotOf(other, at)] as number) - 1,
  };
}

function isEqual(lanes: Uint32Array, record: number, other: Uint32Array, at: number): boolean {
  const place = record * RECORD_LANES;
  return (
    lanes[place] === other[at] &&
    lanes[place + 1] === other[at + 1] &&
    lanes[place + 2] === other[at + 2] &&
    lanes[place + 3] === other[at + 3]
  );
}

/** What is found of one record is found of all that are equal to it. */
function spread(found: Uint8Array, firstOf: Int32Array): void {
  for (let record = 0; record < found.length; record++) {
    if (found[record] === 1) found[firstOf[record] as number] = 1;
  }
  for (let record = 0; record < found.length; record++) {
    found[record] = found[firstOf[record] as number] as number;
  }
}

function isNone(lanes: Uint32Array, at: number): boolean {
  return (
    ((lanes[at] as number) |
      (lanes[at + 1] as number) |
      (lanes[at + 2] as number) |
      (lanes[at + 3] as number)) ===
    0
  );
}

/** Null where a key among those without an equal row may have another spelling. */
function leftOutByKey({ keys, plain }: HashedFiles, found: Uint8Array): Uint8Array | null {
  let changed = 0;
  for (let record = 0; record < found.length; record++) {
    if (found[record] === 1) continue;
    if (plain[record] === 0) return null;
    changed += 1;
  }
  if (changed === 0) return found;
  const touched = createNumberSet(changed);
  for (let record = 0; record < found.length; record++) {
    if (found[record] === 0) touched.add(keyNumber(keys, record));
  }
  const leftOut = found.slice();
  for (let record = 0; record < found.length; record++) {
    if (found[record] === 1 && touched.has(keyNumber(keys, record))) leftOut[record] = 0;
  }
  return leftOut;
}

/** A Set of the runtime takes four times the memory, and ends at 16 million. */
function createNumberSet(most: number): {
  add(number: number): void;
  has(number: number): boolean;
} {
  let capacity = 16;
  while (capacity < most * 2) capacity *= 2;
  const mask = capacity - 1;
  const slots = new Float64Array(capacity).fill(-1);
  const slotOf = (number: number): number => {
    let slot = number & mask;
    while (slots[slot] !== -1 && slots[slot] !== number) slot = (slot + 1) & mask;
    return slot;
  };
  return {
    add: (number) => (slots[slotOf(number)] = number),
    has: (number) => slots[slotOf(number)] === number,
  };
}

/** 53 bits of the two lanes, which a double holds exactly. */
function keyNumber(keys: Uint32Array, record: number): number {
  return (keys[record * 2] as number) * 0x200000 + ((keys[record * 2 + 1] as number) >>> 11);
}

function leftOutByOrder(found: Uint8Array): Uint8Array {
  const first = found.indexOf(0);
  return first === -1 ? found : found.slice().fill(0, first);
}

function ofFile(
  leftOut: Uint8Array,
  firstOf: Int32Array | null,
  from: number,
  count: number,
): UnchangedOfFile {
  const keep = new Uint8Array(count);
  let kept = 0;
  let repeated = 0;
  for (let place = 0; place < count; place++) {
    if (leftOut[from + place] !== 1) {
      keep[place] = 1;
      kept += 1;
    } else {
      const first = firstOf?.[from + place] ?? from + place;
      if (first >= from && first < from + place) repeated += 1;
    }
  }
  return { keep, kept, unchanged: count - kept - repeated };
}
