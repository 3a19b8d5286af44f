import { isUtf8 } from 'node:buffer';
import { LIMITS } from '../../limits.ts';
import { isAtRecord, nextRecord, startFrame, type RecordFrame } from './frame-records.ts';
import { JsonFault, type JsonBytes } from './json-bytes.ts';
import { nextOrBroken, type RecoveringStep, type Recovery } from './recovery.ts';

/**
 * A file's records, out of its chunks: the bytes that are not passed yet lie in one buffer, so that
 * a record is read where it lies and as a whole. One that the bytes end in is read again from its
 * start when there are more: of a chunk that is the last one only.
 */
export interface JsonWindow {
  readonly json: JsonBytes;
  readonly frame: RecordFrame;
  /** Bytes of the file before the first of the buffer. */
  base: number;
  /** Whether it is known that the file begins with a byte-order mark, or not. */
  begun: boolean;
  /** Reading goes on when the buffer has so many. */
  wanted: number;
  /** Up to here the bytes are known to be UTF-8. */
  checked: number;
  /** Null: what is no JSON ends the reading. */
  readonly recovery: Recovery | null;
}

/** `steps` lead to the array of records; null: each value of the file is a record. */
export function startWindow(
  steps: readonly string[] | null,
  recovery: Recovery | null = null,
): JsonWindow {
  // The first chunk tells how much is worth having: many files are small.
  const bytes = Buffer.alloc(16);
  return {
    json: { bytes, end: 0, final: false, escapes: 0 },
    frame: startFrame(steps),
    ...{ base: 0, begun: false, wanted: 0, checked: 0, recovery },
  };
}

/** Takes the next bytes of the file. @throws JsonFault `length` */
export function addChunk(window: JsonWindow, chunk: Buffer): void {
  const { json, frame } = window;
  if (json.end + chunk.length + 1 > json.bytes.length) makeRoom(window, chunk.length);
  chunk.copy(json.bytes, json.end);
  json.end += chunk.length;
  json.bytes[json.end] = 0;
  const begun = json.end - frame.at;
  // A record that is too long is broken, and the others are read.
  if (window.recovery !== null && isAtRecord(frame)) return;
  if (begun > LIMITS.jsonRecordBytesMax + chunk.length) {
    throw new JsonFault(frame.at, `it is longer than ${LIMITS.jsonRecordBytesMax} bytes`, 'length');
  }
}

/** What is passed makes room; the buffer grows where that is not enough. */
function makeRoom(window: JsonWindow, more: number): void {
  const { json, frame } = window;
  const rest = json.end - frame.at;
  const needed = rest + more + 1;
  // What is moved is at most half of it, so each byte is moved twice at most on the average.
  const fits = needed <= json.bytes.length && 2 * rest <= json.bytes.length;
  const bytes = fits ? json.bytes : Buffer.allocUnsafeSlow(2 * needed);
  json.bytes.copy(bytes, 0, frame.at, json.end);
  json.bytes = bytes;
  json.end = rest;
  window.base += frame.at;
  window.wanted -= frame.at;
  window.checked = Math.max(0, window.checked - frame.at);
  frame.start -= frame.at;
  frame.at = 0;
}

/** After the last chunk. */
export function endWindow({ json }: JsonWindow): void {
  json.final = true;
}

/**
 * Goes to the next record; `read` notes what it holds.
 *
 * @returns `more`: add a chunk first. `end`: there are no more records. `bad`, with a recovery only:
 *   the record is broken, as that tells.
 * @throws JsonFault, its offset among the bytes of the window
 */
export function readNext(window: JsonWindow, read: (at: number) => number): RecoveringStep {
  const { json, frame, recovery } = window;
  if (!window.begun) {
    if (json.end < MARK.length && !json.final) return 'more';
    window.begun = true;
    if (MARK.equals(json.bytes.subarray(0, Math.min(json.end, MARK.length)))) {
      frame.at = MARK.length;
    }
  }
  if (json.end < window.wanted && !json.final) return 'more';
  const step =
    recovery === null ? nextRecord(frame, json, read) : nextOrBroken(recovery, frame, json, read);
  if (step !== 'more') return step;
  if (json.final) throw new JsonFault(json.end, 'the file ends before this is complete');
  // A record of many chunks is not read again with each of them.
  window.wanted = frame.at + 2 * (json.end - frame.at);
  return 'more';
}

const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Checks what was passed since the last time. @throws JsonFault `encoding` */
export function refuseOtherBytes(window: JsonWindow): void {
  const { json, frame } = window;
  const passed = json.bytes.subarray(window.checked, frame.at);
  if (!isUtf8(passed)) {
    const good = utf8Length(passed);
    throw new JsonFault(window.checked + good, 'the bytes here are not UTF-8', 'encoding');
  }
  window.checked = frame.at;
}

/** How many bytes are UTF-8: decoded, others become a character that has other bytes. */
function utf8Length(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString());
  let good = 0;
  while (good < bytes.length && bytes[good] === again[good]) good++;
  return good;
}
