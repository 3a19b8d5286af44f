import { decompressed } from '../compression.ts';
import { countByte } from '../csv/data-chunks.ts';
import type { JsonDescription, SourceFile } from '../source-file.ts';
import { afterValue } from './json-bytes.ts';
import { stepsOf } from './json-stream.ts';
import { addChunk, endWindow, readNext, startWindow } from './json-window.ts';
import { startRecovery } from './recovery.ts';

/** A record as it stands in the file. */
export interface JsonRecord {
  /** 1-based. */
  readonly record: number;
  /** Of its first byte in the decompressed file. */
  readonly offset: number;
  /** 1-based line of the file in which it begins. */
  readonly line: number;
  /** Valid until the next record is asked for. */
  readonly bytes: Buffer;
}

/**
 * Some records of a file that has been read before, in its order, without their values.
 *
 * @param wanted the number of the next record that is wanted; null: no more
 * @throws JsonFault where the file is no longer what it was, and what reading throws
 */
export async function* jsonRecords(
  file: SourceFile,
  description: Pick<JsonDescription, 'records' | 'lines'>,
  wanted: () => number | null,
  signal?: AbortSignal,
): AsyncGenerator<JsonRecord> {
  const recovery = file.badBytes === 'of a row' ? startRecovery(description.lines) : null;
  const window = startWindow(stepsOf(description), recovery);
  const { json, frame } = window;
  let line = 1;
  /** Up to here, in the buffer, line ends are counted. */
  let counted = 0;
  const countTo = (at: number): void => {
    line += countByte(json.bytes.subarray(counted, at), 10);
    counted = at;
  };
  const read = (at: number): number => afterValue(json, at);
  function* found(): Generator<JsonRecord> {
    while (wanted() !== null) {
      const step = readNext(window, read);
      if (step !== 'record' && step !== 'bad') return;
      if (frame.records !== wanted()) continue;
      const { start } = frame;
      countTo(start);
      const bytes = json.bytes.subarray(start, frame.at);
      yield { record: frame.records, offset: window.base + start, line, bytes };
    }
  }
  for await (const chunk of decompressed(file, signal === undefined ? {} : { signal }).chunks) {
    // What is passed makes room for the chunk.
    countTo(Math.max(counted, Math.min(frame.at, json.end)));
    const { base } = window;
    addChunk(window, chunk);
    counted -= window.base - base;
    yield* found();
    if (wanted() === null) return;
  }
  endWindow(window);
  yield* found();
}
