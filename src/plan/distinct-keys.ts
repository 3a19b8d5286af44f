/**
 * How many distinct keys a set of rows holds, estimated from a sample of it. Few repeated keys in a
 * sample of 4 % can mean many in the whole: what counts is the number of pairs of rows with one key.
 *
 * Keys seen often are counted each on its own, since a few of them (a default customer, a zero)
 * would otherwise make up nearly all pairs. The other rows are taken to be spread evenly over their
 * keys: P pairs among R rows are then 1 + 2P/R rows per key.
 */
export interface KeyTally {
  sampledKeys: number;
  heavyKeys: number;
  /** Estimated rows of the whole that hold a heavy key. */
  heavyRows: number;
  /** Estimated pairs of rows of the whole that share a key that is not heavy. */
  lightPairs: number;
}

/** A key sampled so often is counted on its own: its number of rows is then known to a quarter. */
export const HEAVY_KEY_SAMPLES = 16;

export function newTally(): KeyTally {
  return { sampledKeys: 0, heavyKeys: 0, heavyRows: 0, lightPairs: 0 };
}

/** A key that was sampled so often stands for so many rows and pairs of rows of the whole. */
export function tallyKey(tally: KeyTally, sampled: number, rows: number, pairs: number): void {
  tally.sampledKeys++;
  if (sampled >= HEAVY_KEY_SAMPLES) {
    tally.heavyKeys++;
    tally.heavyRows += rows;
  } else {
    tally.lightPairs += pairs;
  }
}

export function distinctKeys(tally: KeyTally, rows: number, complete: boolean): number {
  if (complete) return tally.sampledKeys;
  const lightRows = Math.max(0, rows - tally.heavyRows);
  const estimate = tally.heavyKeys + lightRows / rowsPerLightKey(tally, rows);
  return Math.min(Math.max(estimate, tally.sampledKeys), Math.max(rows, tally.sampledKeys));
}

/** Rows per key among the keys that are not heavy. */
export function rowsPerLightKey(tally: KeyTally, rows: number): number {
  const lightRows = rows - tally.heavyRows;
  return lightRows <= 0 ? 1 : 1 + (2 * tally.lightPairs) / lightRows;
}
