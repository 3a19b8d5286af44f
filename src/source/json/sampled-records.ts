import { open } from 'node:fs/promises';
import { EtlError } from '../../errors.ts';
import { readError } from '../compression.ts';
import type { JsonDescription, SourceFile } from '../source-file.ts';
import { JsonFault, type JsonBytes } from './json-bytes.ts';
import { readHead } from './json-head.ts';
import { stepsOf } from './json-stream.ts';
import { addChunk, endWindow, readNext, startWindow } from './json-window.ts';
import { startRecovery } from './recovery.ts';

/** What a sample sees of a file's records. */
export interface SampledRecords {
  /** Broken ones included. */
  readonly records: number;
  /** Bytes that these records take, with what is between them. */
  readonly bytes: number;
  /** What stopped it, and after it nothing was read; or why no record is sound. Null: nothing. */
  readonly fault: JsonFault | null;
  /** Whether each record stands in a line of its own. */
  readonly lines: boolean;
}

/** Called for each record: `[start, end)` of the bytes. False: no more are wanted. */
export type OnRecord = (json: JsonBytes, start: number, end: number) => boolean;

/** Passes a record; what `afterValue` and `readRecord` are. */
export type ReadRecord = (json: JsonBytes, at: number) => number;

/** Where records are; `lines` is null where one that is broken ends the sample. */
export interface SampledShape extends Pick<JsonDescription, 'records'> {
  readonly lines: boolean | null;
}

/** The records at the beginning of the bytes, which may end in one where they are not `ended`. */
export function eachRecord(
  bytes: Buffer,
  ended: boolean,
  { records, lines: inLines }: SampledShape,
  read: ReadRecord,
  onRecord: OnRecord,
): SampledRecords {
  const recovery = inLines === null ? null : startRecovery(inLines);
  const window = startWindow(stepsOf({ records }), recovery);
  const { json, frame } = window;
  let lines = records === null;
  let good = 0;
  let firstBad = 0;
  let fault: JsonFault | null = null;
  const reading = (at: number): number => read(json, at);
  try {
    addChunk(window, bytes);
    if (ended) endWindow(window);
    for (;;) {
      const step = readNext(window, reading);
      if (step !== 'record' && step !== 'bad') break;
      if (step === 'bad') {
        if (frame.records === 1) firstBad = frame.start;
        continue;
      }
      good++;
      lines &&= isLine(json, frame.start, frame.at);
      if (!onRecord(json, frame.start, frame.at)) break;
    }
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    fault = new JsonFault(window.base + error.offset, error.message, error.kind);
  }
  const allBad = good === 0 && frame.records > 0;
  if (allBad && recovery !== null) fault ??= new JsonFault(firstBad, recovery.what);
  return { records: frame.records, bytes: frame.at, fault, lines: lines && good > 0 };
}

function isLine({ bytes, end: length }: JsonBytes, start: number, end: number): boolean {
  const before = start === 0 || bytes[start - 1] === 10 || start <= 3;
  const after = end >= length || bytes[end] === 10 || bytes[end] === 13;
  const lineEnd = bytes.indexOf(10, start);
  return before && after && (lineEnd < 0 || lineEnd >= end);
}

/** Blocks of a large file, its head among them. */
const BLOCKS = 32;

/**
 * The records of some places of a file: the head of one that is compressed, or no lines; of lines
 * also a block at a random place of each of equal stretches, begun and ended at a line end.
 */
export async function sampleRecords(
  file: SourceFile,
  { records, lines }: Pick<JsonDescription, 'records' | 'lines'>,
  options: { readonly bytesMax: number; readonly seed: number },
  read: ReadRecord,
  onRecord: (block: number, blocksThere: number) => OnRecord,
): Promise<{
  readonly blocks: readonly SampledRecords[];
  readonly complete: boolean;
  readonly fileBytes: number;
}> {
  const { bytesMax, seed } = options;
  const shape = { records, lines: file.badBytes === 'of a row' ? lines : null };
  const inBlocks = lines && file.compression === 'none' && file.bytes > bytesMax;
  const head = await readHead(file, inBlocks ? Math.ceil(bytesMax / BLOCKS) : bytesMax);
  const blocksThere = inBlocks ? BLOCKS : 1;
  const first = eachRecord(head.bytes, head.ended, shape, read, onRecord(0, blocksThere));
  const complete = head.ended && first.fault === null;
  const fileBytes = file.bytes * head.ratio;
  if (!inBlocks) return { blocks: [first], complete, fileBytes };
  const blocks = [first];
  for await (const bytes of blocksOf(file, Math.ceil(bytesMax / BLOCKS), seed)) {
    const each = onRecord(blocks.length, blocksThere);
    blocks.push(eachRecord(bytes, true, shape, read, each));
  }
  return { blocks, complete: false, fileBytes };
}

/** Whole lines of each stretch of the file but the first; each is good until the next is asked for. */
async function* blocksOf(file: SourceFile, bytes: number, seed: number): AsyncGenerator<Buffer> {
  const stretch = Math.floor(file.bytes / BLOCKS);
  const random = seededRandom(seed);
  try {
    await using handle = await open(file.path);
    const block = Buffer.alloc(bytes);
    for (let place = 1; place < BLOCKS; place++) {
      const free = Math.max(0, stretch - bytes);
      const from = place * stretch + Math.floor(random() * free);
      const { bytesRead } = await handle.read(block, 0, bytes, from);
      const read = block.subarray(0, bytesRead);
      yield read.subarray(read.indexOf(10) + 1, read.lastIndexOf(10) + 1);
    }
  } catch (error) {
    throw error instanceof EtlError ? error : readError(file, error);
  }
}

/** A linear congruential generator (Numerical Recipes): good enough to pick places. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
