import { isEqualRecord, isNoRecord, RECORD_LANES } from './record-hash.ts';

export interface RecordIndex {
  /** Of each record the first that is equal to it: itself, where there is none before it. */
  readonly firstOf: Int32Array;
  /** The first record with the four lanes from `at` on, or -1. */
  find(other: Uint32Array, at: number): number;
}

/**
 * All records by their lanes. 1.5 million rows, found in the order of their files 0.1 s, by the index 0.45 s,
 * of which 0.15 s are its making.
 */
export function indexRecords(lanes: Uint32Array, total: number): RecordIndex {
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
      if (record === 0 || isEqualRecord(lanes, record - 1, other, at)) return slot;
      slot = (slot + 1) & mask;
    }
  };
  for (let record = 0; record < total; record++) {
    firstOf[record] = record;
    if (isNoRecord(lanes, record * RECORD_LANES)) continue;
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
