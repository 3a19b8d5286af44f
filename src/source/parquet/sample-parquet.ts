import { present } from '../../assert.ts';
import { LIMITS } from '../../limits.ts';
import type { FileSample, ParquetColumn, ParquetDescription, SourceFile } from '../source-file.ts';
import type { ReadMeter } from './chunk-bytes.ts';
import type { ColumnBatch } from './column-batch.ts';
import type { ColumnReader } from './column-reader.ts';
import { openColumn } from './open-column.ts';
import { openParquet } from './open-parquet.ts';
import type { OpenParquet } from './open-parquet.ts';
import { FRESH_MEMORY } from './page-memory.ts';
import { parquetError } from './parquet-fault.ts';
import { leavesOf } from './parquet-schema.ts';
import type { SchemaNode } from './parquet-schema.ts';
import { nodesOf, readOpenParquet } from './read-batches.ts';
import { rowsBefore } from './row-groups.ts';
import { rowText } from './value-text.ts';

export interface SampleParquetOptions {
  readonly rowsMax: number;
  /** Names of columns; all by default. The sample's fields are in this order. */
  readonly columns?: readonly string[];
  /** The same seed gives the same rows. */
  readonly seed?: number;
}

/**
 * Rows drawn at random, in the order of the file, as text. Where the wanted columns are small on
 * disk (`LIMITS.sampleBytesPerFileMax`) every row has the same chance; else rows are drawn from
 * spots spread over the file, as far as those bytes go.
 *
 * @throws EtlError as readParquet
 */
export async function sampleParquet(
  file: SourceFile,
  description: ParquetDescription,
  options: SampleParquetOptions,
): Promise<FileSample> {
  const names = options.columns ?? description.columns.map((column) => column.name);
  const parquet = await openParquet(file);
  try {
    const nodes = nodesOf(parquet, names);
    const rowsMax = Math.min(options.rowsMax, LIMITS.sampleRowsPerFileMax, description.rows);
    const columns = names.map((name) =>
      present(
        description.columns.find((column) => column.name === name),
        `column ${name}`,
      ),
    );
    const draw: Draw = { columns, random: randomOf(options.seed ?? 1), drawn: new Map() };
    if (diskBytesOf(parquet, nodes) <= LIMITS.sampleBytesPerFileMax) {
      await drawFromAll(parquet, description, nodes, rowsMax, draw);
    } else {
      await drawFromSpots(parquet, description, nodes, rowsMax, draw);
    }
    const rows = [...draw.drawn].sort(([a], [b]) => a - b).map(([, row]) => row);
    return {
      columns: names,
      rows,
      fileRows: description.rows,
      fileRowsExact: true,
      complete: rows.length === description.rows,
    };
  } finally {
    await parquet.close();
  }
}

interface Draw {
  readonly columns: readonly ParquetColumn[];
  readonly random: () => number;
  /** Rows by their number in the file. */
  readonly drawn: Map<number, readonly (string | null)[]>;
}

function diskBytesOf(parquet: OpenParquet, nodes: readonly SchemaNode[]): number {
  const chunks = nodes.flatMap(leavesOf).map((leaf) => leaf.chunkIndex);
  let bytes = 0;
  for (const group of parquet.footer.row_groups) {
    for (const chunk of chunks) {
      bytes += Number(group.columns[chunk]?.meta_data?.total_compressed_size ?? 0n);
    }
  }
  return bytes;
}

/** Each row with the chance of what is still wanted among what is still to come. */
async function drawFromAll(
  parquet: OpenParquet,
  description: ParquetDescription,
  nodes: readonly SchemaNode[],
  rowsMax: number,
  draw: Draw,
): Promise<void> {
  let left = description.rows;
  let wanted = rowsMax;
  for await (const batch of readOpenParquet(parquet, description, nodes, {})) {
    if (wanted === 0) return;
    wanted -= drawFrom(batch, wanted, left, draw);
    left -= batch.rows;
  }
}

const SPOTS_MAX = 16;

async function drawFromSpots(
  parquet: OpenParquet,
  description: ParquetDescription,
  nodes: readonly SchemaNode[],
  rowsMax: number,
  draw: Draw,
): Promise<void> {
  const meter: ReadMeter = { heldBytes: 0, diskBytes: 0, decodedBytes: 0 };
  if (rowsMax === 0) return;
  const shift = draw.random();
  for (let spot = 0; spot < SPOTS_MAX; spot++) {
    if (meter.diskBytes >= LIMITS.sampleBytesPerFileMax) return;
    const row = Math.floor(((halvings(spot) + shift) % 1) * description.rows);
    const batch = await batchAt(parquet, description, nodes, row, meter);
    drawFrom(batch, Math.ceil(rowsMax / SPOTS_MAX), batch.rows, draw, rowsMax);
  }
}

/** 0, 1/2, 1/4, 3/4, 1/8 …: wherever this stops, the spots are spread evenly. */
function halvings(spot: number): number {
  let place = 0;
  for (let rest = spot, step = 0.5; rest > 0; rest >>= 1, step /= 2) place += (rest & 1) * step;
  return place;
}

/** One batch of rows from the row on (0-based); a page in front of it is not decoded. */
async function batchAt(
  parquet: OpenParquet,
  description: ParquetDescription,
  nodes: readonly SchemaNode[],
  row: number,
  meter: ReadMeter,
): Promise<ColumnBatch> {
  let rowGroup = 0;
  while (rowsBefore(description, rowGroup + 1) <= row) rowGroup++;
  const start = row - rowsBefore(description, rowGroup);
  const readers: ColumnReader[] = [];
  const spotMeter: ReadMeter = { heldBytes: 0, diskBytes: 0, decodedBytes: 0 };
  let rows: number = LIMITS.parquetBatchRowsMax;
  for (const node of nodes) {
    const readBytes = 64 * 1024;
    const column = node.name;
    const place = { rowGroup, column, readBytes, meter: spotMeter, memory: FRESH_MEMORY };
    const reader = await openColumn(parquet, node, place);
    rows = Math.min(rows, await advance(parquet, reader, start, node, rowGroup));
    readers.push(reader);
  }
  meter.diskBytes += spotMeter.diskBytes;
  return { rows, firstRow: row + 1, columns: readers.map((reader) => reader.take(rows)) };
}

/** Goes to the row of the row group; returns how many rows are there at once. */
async function advance(
  parquet: OpenParquet,
  reader: ColumnReader,
  rows: number,
  node: SchemaNode,
  rowGroup: number,
): Promise<number> {
  for (let left = rows; ;) {
    left -= await reader.skip(left);
    const held = await reader.fill();
    if (held === 0) {
      const place = { file: parquet.file.name, column: node.name, rowGroup };
      throw parquetError('it has fewer rows than its row group', place);
    }
    if (left === 0) return held;
    const dropped = Math.min(left, held);
    reader.take(dropped);
    left -= dropped;
  }
}

/** Draws up to `wanted` rows of a batch, of `left` rows that there are; returns how many. */
function drawFrom(
  batch: ColumnBatch,
  wanted: number,
  left: number,
  draw: Draw,
  drawnMax = Infinity,
): number {
  let count = 0;
  for (let row = 0; row < batch.rows && count < wanted; row++) {
    if (draw.random() * (left - row) >= wanted - count) continue;
    count++;
    if (draw.drawn.size < drawnMax) {
      draw.drawn.set(batch.firstRow + row, rowText(batch, draw.columns, row));
    }
  }
  return count;
}

/** mulberry32: small, seeded, and good enough to draw rows. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
