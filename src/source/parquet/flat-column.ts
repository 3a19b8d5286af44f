import type { ColumnVector } from './column-batch.ts';
import { sliceVector, spreadValues } from './column-batch.ts';
import type { ColumnReader } from './column-reader.ts';
import type { DataPage } from './data-page.ts';
import type { OpenParquet } from './open-parquet.ts';
import type { PageMemory } from './page-memory.ts';
import { openPages } from './page-reader.ts';
import type { ChunkPlace } from './page-reader.ts';
import type { LeafNode } from './parquet-schema.ts';

const EMPTY: ColumnVector = { kind: 'nested', values: [] };

/** A column that is a single leaf, page by page; nothing repeats, so an entry is a row. */
export async function openFlatColumn(
  parquet: OpenParquet,
  leaf: LeafNode,
  place: ChunkPlace,
): Promise<ColumnReader> {
  const pages = await openPages(parquet, leaf, place);
  let vector: ColumnVector = EMPTY;
  let left = 0;
  let position = 0;

  return {
    async fill() {
      if (left > 0) return left;
      vector = EMPTY;
      const page = await pages.next();
      if (page === null) return 0;
      vector = flatVector(page, place.memory);
      position = 0;
      left = page.entries;
      return left;
    },
    take(rows) {
      const slice = sliceVector(vector, position, position + rows);
      position += rows;
      left -= rows;
      return slice;
    },
    async skip(rows) {
      const held = Math.min(rows, left);
      position += held;
      left -= held;
      return held === rows ? held : held + (await pages.skip(rows - held));
    },
    bytesOf: (rows) => bytesOf(vector, position, rows),
  };
}

function flatVector(page: DataPage, memory: PageMemory): ColumnVector {
  const { definitions: validity, values, indexes } = page;
  if (validity === null) return { kind: 'flat', values, indexes, validity };
  return { kind: 'flat', ...spreadValues({ values, indexes }, validity, memory), validity };
}

/** A dictionary may hold one long value that every row repeats, so the lengths are added up. */
function bytesOf(vector: ColumnVector, position: number, rows: number): number {
  if (vector.kind === 'nested') return 0;
  const { values, indexes, validity } = vector;
  if (values.kind !== 'bytes') return rows * 8;
  const { starts, ends, data } = values;
  if (indexes === null) {
    if (validity !== null) return Math.min(data.length, sumLengths(starts, ends, position, rows));
    // They lie in the order of the rows.
    return (ends[position + rows - 1] ?? 0) - (starts[position] ?? 0);
  }
  let bytes = 0;
  for (let row = position; row < position + rows; row++) {
    const index = indexes[row] ?? 0;
    bytes += (ends[index] ?? 0) - (starts[index] ?? 0);
  }
  return bytes;
}

function sumLengths(
  starts: Uint32Array,
  ends: Uint32Array,
  position: number,
  rows: number,
): number {
  let bytes = 0;
  for (let row = position; row < position + rows; row++) {
    bytes += (ends[row] ?? 0) - (starts[row] ?? 0);
  }
  return bytes;
}
