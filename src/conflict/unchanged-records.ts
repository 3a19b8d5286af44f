import { assert } from '../assert.ts';
import { createFileOrder, startsOf, type HashedFiles } from './file-order.ts';
import { isNoRecord, RECORD_LANES } from './record-hash.ts';
import { indexRecords, type RecordIndex } from './record-index.ts';
import { gatherStrays } from './stray-rows.ts';

/** The keys of the same records. */
export interface HashedKeys {
  /** Two 32-bit lanes a record. */
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
  /** A row of the table, by its four lanes. */
  readonly mark: (lanes: Uint32Array) => void;
  /** Whether a record has no equal row: then it takes the keys to say more than "by order". */
  changed(): boolean;
  /** By file. Null: keys are not known, or records of the load are missing among these. */
  decide(keys: HashedKeys | null): UnchangedOfFile[];
}

export function findUnchangedRecords(files: HashedFiles): UnchangedRecords {
  const { counts, lanes } = files;
  const total = lanes.length / RECORD_LANES;
  assert(total === sum(counts), 'a record has all of its lanes');
  const found = new Uint8Array(total);
  const order = createFileOrder(files, found);
  const strays = gatherStrays(total);
  let index: RecordIndex | null = null;
  let isSettled = false;

  const lookUp = (among: RecordIndex, row: Uint32Array, at: number): void => {
    const record = among.find(row, at);
    if (record === -1) return;
    found[record] = 1;
    order.goBehind(record);
  };
  /** Each row of the table has found another record; those left over may repeat one of these. */
  const settle = (): void => {
    if (isSettled) return;
    isSettled = true;
    if (index === null) strays.markIn(lanes, found);
    if (found.includes(0)) index ??= indexRecords(lanes, total);
    if (index !== null) spread(found, index.firstOf);
  };

  return {
    mark: (row) => {
      if (isNoRecord(row, 0) || order.markNext(row)) return;
      if (index === null && (order.markNear(row) || strays.add(row))) return;
      if (index === null) {
        index = indexRecords(lanes, total);
        for (let at = 0; at < strays.lanes().length; at += RECORD_LANES) {
          lookUp(index, strays.lanes(), at);
        }
      }
      lookUp(index, row, 0);
    },
    changed: () => {
      settle();
      return found.includes(0);
    },
    decide: (keys) => {
      settle();
      const firstOf = index?.firstOf ?? null;
      const leftOut = (keys === null ? null : leftOutByKey(keys, found)) ?? leftOutByOrder(found);
      return startsOf(counts).map((from, one) => ofFile(leftOut, firstOf, from, counts[one] ?? 0));
    },
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
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

/** Null where a key among those without an equal row may have another spelling. */
function leftOutByKey({ keys, plain }: HashedKeys, found: Uint8Array): Uint8Array | null {
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
