import type { CsvFields } from './parse-text.ts';
import { sampleRows } from './sample-rows.ts';
import type { SampledColumns } from './sample-rows.ts';

/** The data of a file, or of its head, that can be read at any offset. */
export interface DataBytes {
  readonly start: number;
  readonly end: number;
  /** Fewer bytes only at the end. They stay what they are until the next are read. */
  read(offset: number, bytes: number): Promise<Buffer>;
}

export interface BlockOptions {
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly seed: number;
}

export interface SampledBlocks {
  readonly rows: readonly CsvFields[];
  readonly bytesPerRow: number;
}

/** Blocks read: enough that sorted keys are seen all over, few enough to be cheap on any disk. */
const blocksMax = 32;
/** Rows of a block, at least: of few rows wanted, the head and the tail tell most. */
const rowsPerBlockMin = 20;
/** The head block tells how long rows are, and so how much to read for the others. */
const headBytes = 64 * 1024;

/**
 * Rows of the head, of a random place in each of equal stretches, and of the tail. Each block
 * begins after a line end and ends with one.
 */
export async function sampleBlocks(
  sampled: SampledColumns,
  data: DataBytes,
  { rowsMax, bytesMax, seed }: BlockOptions,
): Promise<SampledBlocks> {
  const random = seededRandom(seed);
  const size = data.end - data.start;
  const blocks = blocksOf(rowsMax);
  const stretch = Math.floor(size / blocks);
  const rowsPerBlock = Math.max(1, Math.floor(rowsMax / blocks));
  const parsed: ParsedBlock[] = [];
  let blockBytes = Math.min(headBytes, stretch);
  for (let block = 0; block < blocks; block++) {
    const free = Math.max(0, stretch - blockBytes);
    const within = block === 0 ? 0 : block === blocks - 1 ? free : Math.floor(random() * free);
    const last = block === blocks - 1 && block > 0;
    const offset = last ? data.end - blockBytes : data.start + block * stretch + within;
    const bytes = await data.read(offset, blockBytes);
    const whole = cutToLines(bytes, offset === data.start, offset + bytes.length === data.end);
    parsed.push(parseBlock(sampled, whole, last ? -rowsPerBlock : rowsPerBlock));
    if (block === 0) {
      const wanted = Math.ceil(1.25 * (rowsPerBlock + 2) * bytesPerRowOf(parsed));
      blockBytes = Math.min(wanted, stretch, Math.floor(bytesMax / blocks));
    }
  }
  return { rows: parsed.flatMap((block) => block.rows), bytesPerRow: bytesPerRowOf(parsed) };
}

function blocksOf(rowsMax: number): number {
  if (rowsMax < 2) return 1;
  return Math.max(2, Math.min(blocksMax, Math.floor(rowsMax / rowsPerBlockMin)));
}

interface ParsedBlock {
  readonly rows: readonly CsvFields[];
  readonly records: number;
  readonly bytes: number;
}

/** Takes the first `take` rows, or the last ones where it is negative. */
function parseBlock(sampled: SampledColumns, bytes: Buffer, take: number): ParsedBlock {
  const { rows, records } = sampleRows(sampled, bytes);
  return { rows: take < 0 ? rows.slice(take) : rows.slice(0, take), records, bytes: bytes.length };
}

/** Each block stands for a stretch of the same size, however much of it was read. */
function bytesPerRowOf(blocks: readonly ParsedBlock[]): number {
  const telling = blocks.filter((block) => block.records > 0);
  if (telling.length === 0) return headBytes;
  const rowsPerByte = telling.reduce((sum, block) => sum + block.records / block.bytes, 0);
  return telling.length / rowsPerByte;
}

/** Leaves out the record that the block began in, and the one that it ended in. */
function cutToLines(bytes: Buffer, atStart: boolean, atEnd: boolean): Buffer {
  const lineEnd = bytes.includes(10) ? 10 : 13;
  const from = atStart ? 0 : bytes.indexOf(lineEnd) + 1;
  const to = atEnd ? bytes.length : bytes.lastIndexOf(lineEnd) + 1;
  return bytes.subarray(from, Math.max(from, to));
}

/** mulberry32: small, fast and good enough to pick places. */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
