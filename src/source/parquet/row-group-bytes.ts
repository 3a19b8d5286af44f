import type { ColumnMetaData } from 'hyparquet';
import { LIMITS } from '../../limits.ts';
import type { OpenParquet } from './open-parquet.ts';
import type { PageMemory } from './page-memory.ts';
import { leavesOf } from './parquet-schema.ts';
import type { SchemaNode } from './parquet-schema.ts';

/** Where a column chunk lies by its footer, which nobody has checked yet. */
export interface ChunkRange {
  readonly start: number;
  readonly size: number;
  /** Bytes before it may be the chunk's, too. */
  readonly end: number;
}

/** Old writers left the header of the dictionary out of the chunk's size (PARQUET-816). */
const SIZE_SLACK = 100;

export function rangeOfChunk(meta: ColumnMetaData): ChunkRange {
  const dataStart = Number(meta.data_page_offset);
  const dictionaryStart = Number(meta.dictionary_page_offset ?? 0n);
  const start = dictionaryStart > 0 ? Math.min(dictionaryStart, dataStart) : dataStart;
  const size = Number(meta.total_compressed_size);
  return { start, size, end: start + size + SIZE_SLACK };
}

/** Share of the bytes between the first and the last column that somebody wants. */
const WANTED_SHARE = 1 / 2;

/**
 * The same file for who reads these columns of a row group, whose bytes are read at once where they are
 * few and lie together; they stay as they are until `memory` is asked for a window again. Some writers
 * make row groups of a few thousand rows, and a read of its own for each column of each costs more than
 * its bytes: 1.5 million rows of 8 columns in groups of 4,096 took 1.39, 1.47 and 1.54 s of CPU that way,
 * and 1.21, 1.22 and 1.25 read together (0.04 s of it by the flag that tune-process.ts no longer sets).
 */
export async function readTogether(
  parquet: OpenParquet,
  nodes: readonly SchemaNode[],
  rowGroup: number,
  memory: PageMemory,
): Promise<OpenParquet> {
  const columns = parquet.footer.row_groups[rowGroup]?.columns ?? [];
  const ranges = nodes.flatMap(leavesOf).flatMap(({ chunkIndex }) => {
    const meta = columns[chunkIndex]?.meta_data;
    return meta === undefined ? [] : [rangeOfChunk(meta)];
  });
  const start = Math.min(...ranges.map((range) => range.start));
  const end = Math.min(Math.max(...ranges.map((range) => range.end)), parquet.file.bytes);
  const wanted = ranges.reduce((sum, { size }) => sum + size, 0);
  const together = end - start <= LIMITS.readChunkBytes && wanted >= WANTED_SHARE * (end - start);
  // What is damaged is told by who reads the column.
  if (ranges.length < 2 || !(start >= 0 && start < end && together)) return parquet;
  const held = await parquet.read(start, end - start, memory.window);
  return {
    ...parquet,
    read: (offset, length, room) =>
      offset >= start && offset + length <= end
        ? Promise.resolve(held.subarray(offset - start, offset - start + length))
        : parquet.read(offset, length, room),
  };
}
