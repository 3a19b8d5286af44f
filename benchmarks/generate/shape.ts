import { assert } from '../../src/assert.ts';
import type { Scenario } from '../scenario.ts';
import { mix, WORD } from './mix.ts';

/**
 * Where each key of a scenario lies. Keys are numbers from 0; what they look like is the columns'
 * business. All is arithmetic, so that a file can be written, and the table that must come out be
 * computed, without holding a key.
 *
 * File f is one of a group of `sharedBy` files. Of its `rowsPerFile` places the first `shared` hold
 * the keys of its group, the others keys of its own. With skew, each place draws a key at random.
 */
export interface Shape {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Of all files together: what the scenario asks for, rounded down to equal files. */
  readonly rows: number;
  readonly files: number;
  readonly rowsPerFile: number;
  readonly shared: number;
  readonly sharedBy: number;
  /** Numbers of the files' keys are below this; those of other rows of the table are not. */
  readonly keysEnd: number;
  /** Rows of the table before the load. */
  readonly tableRows: number;
}

export function shapeOf(scenario: Scenario, rows: number, tableRows: number, seed: number): Shape {
  const files = Math.min(scenario.files, rows);
  const rowsPerFile = Math.floor(rows / files);
  const shared = Math.round(rowsPerFile * scenario.overlap);
  const sharedBy = Math.min(files, scenario.sharedBy === 0 ? files : scenario.sharedBy);
  const distinct = Math.ceil(files / sharedBy) * shared + files * (rowsPerFile - shared);
  const keysEnd = scenario.skew > 0 ? files * rowsPerFile : distinct;
  assert(keysEnd + tableRows < WORD / 2, 'key numbers fit into 31 bits');
  return {
    scenario,
    seed: mix(seed, 0, 0),
    rows: files * rowsPerFile,
    files,
    rowsPerFile,
    shared,
    sharedBy,
    keysEnd,
    tableRows,
  };
}

/** The key at a place of a file's key list (not the row: see `placeOfRow`). */
export function keyAt(shape: Shape, file: number, place: number): number {
  const { files, rowsPerFile, shared, sharedBy, scenario } = shape;
  if (scenario.skew > 0) return drawnKey(shape, file * rowsPerFile + place);
  if (place < shared) return Math.floor(file / sharedBy) * shared + place;
  const base = Math.ceil(files / sharedBy) * shared;
  const own = place - shared;
  return scenario.layout === 'ranges'
    ? base + file * (rowsPerFile - shared) + own
    : base + own * files + file;
}

/** How many different keys the files hold. Drawn ones must be counted: a bit for each number. */
export function distinctKeys(shape: Shape): number {
  if (shape.scenario.skew === 0) return shape.keysEnd;
  const seen = new Uint8Array(Math.ceil(shape.keysEnd / 8));
  let count = 0;
  for (let row = 0; row < shape.rows; row++) {
    const key = drawnKey(shape, row);
    const bit = 1 << (key & 7);
    const byte = seen[key >>> 3] ?? 0;
    if ((byte & bit) === 0) count += 1;
    seen[key >>> 3] = byte | bit;
  }
  return count;
}

/** What tells one writer of a key from the next: the file, or with skew the row of all files. */
export function versionAt(shape: Shape, file: number, place: number): number {
  return shape.scenario.skew > 0 ? file * shape.rowsPerFile + place + 1 : file + 1;
}

/** Multiplied in this very order, as SQL does, so that both round alike. */
function drawnKey({ seed, keysEnd, scenario }: Shape, row: number): number {
  const part = mix(row, 1, seed) / WORD;
  let key = keysEnd;
  for (let time = 0; time <= scenario.skew; time++) key *= part;
  return Math.floor(key);
}

/** For each row of a file in turn: its place in the file's key list. */
export function placeOfRow(shape: Shape, file: number): (row: number) => number {
  const { rowsPerFile, scenario, seed } = shape;
  // Drawn keys are in no order as it is.
  if (scenario.order === 'sorted' || scenario.skew > 0) return (row) => row;
  if (scenario.order === 'reversed') return (row) => rowsPerFile - 1 - row;
  return permutation(rowsPerFile, mix(file, 2, seed));
}

/**
 * A permutation of 0 … count - 1 without a table: steps that cannot collide, modulo a power of two,
 * repeated until the result lies below `count`, which takes less than two rounds on average.
 */
function permutation(count: number, seed: number): (index: number) => number {
  const bits = Math.max(2, Math.ceil(Math.log2(count)));
  const mask = 2 ** bits - 1;
  const half = Math.ceil(bits / 2);
  const round = (value: number): number => {
    let mixed = (Math.imul(value, 0x7feb352d) + seed) & mask;
    mixed ^= mixed >>> half;
    mixed = (Math.imul(mixed, 0x31848bab) + (seed >>> 7)) & mask;
    return mixed ^ (mixed >>> half);
  };
  return (index) => {
    let value = round(index);
    while (value >= count) value = round(value);
    return value;
  };
}
