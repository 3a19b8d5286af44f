import type { ColumnReader } from './column-reader.ts';
import { openFlatColumn } from './flat-column.ts';
import { openNestedColumn } from './nested-column.ts';
import type { OpenParquet } from './open-parquet.ts';
import { FRESH_MEMORY } from './page-memory.ts';
import type { ChunkPlace } from './page-reader.ts';
import type { SchemaNode } from './parquet-schema.ts';

export async function openColumn(
  parquet: OpenParquet,
  node: SchemaNode,
  place: ChunkPlace,
): Promise<ColumnReader> {
  return node.kind === 'leaf' && node.repetition === 0
    ? openFlatColumn(parquet, node, place)
    : // It holds several pages of several leaves at once.
      openNestedColumn(parquet, node, { ...place, memory: FRESH_MEMORY });
}
