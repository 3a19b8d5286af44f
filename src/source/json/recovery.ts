import { LIMITS } from '../../limits.ts';
import { endOfBroken, ENDLESS } from './broken-record.ts';
import { isAtRecord, nextRecord, passRecord, type RecordFrame } from './frame-records.ts';
import { afterValue, INCOMPLETE, JsonFault, type JsonBytes } from './json-bytes.ts';

/** How reading goes on behind a broken record. */
export interface Recovery {
  /** Whether each record of the file stands in a line of its own. */
  readonly lines: boolean;
  /** What is wrong with the record that was found broken; its place is that of the frame's record. */
  what: string;
  /** Whether it is JSON, but no object. */
  isValue: boolean;
  /** Whether its end is still looked for. */
  pending: boolean;
  /** What lies before the next line, or the end of the file, is of a broken record that was told of. */
  skipping: 'line' | 'rest' | null;
  /** Whether the record before was broken: then what follows could be the rest of it. */
  alone: boolean;
}

export function startRecovery(lines: boolean): Recovery {
  return { lines, what: '', isValue: false, pending: false, skipping: null, alone: false };
}

export type RecoveringStep = 'record' | 'bad' | 'more' | 'end';

/**
 * Goes to the next record, be it broken: then it is `bad`, lies between `start` and `at` of the frame,
 * and counts like any other. One without an end takes the rest of the file with it, as a quote of CSV
 * does that is never closed.
 *
 * Behind a broken record of a file in lines, what is taken for a record must have its line for itself:
 * else an object inside a broken one that goes over several lines would be a record.
 *
 * @throws JsonFault for what is wrong between records, and has no record to blame
 */
export function nextOrBroken(
  recovery: Recovery,
  frame: RecordFrame,
  json: JsonBytes,
  read: (at: number) => number,
): RecoveringStep {
  if (recovery.skipping !== null && !skipped(recovery, frame, json)) {
    return json.final ? 'end' : 'more';
  }
  if (!recovery.pending) {
    const step = tryNext(recovery, frame, json, read);
    if (step === 'record') recovery.alone = false;
    if (step !== 'broken') return step;
  }
  return passBroken(recovery, frame, json);
}

function tryNext(
  recovery: Recovery,
  frame: RecordFrame,
  json: JsonBytes,
  read: (at: number) => number,
): 'record' | 'more' | 'end' | 'broken' {
  const isStrict = recovery.alone && recovery.lines && frame.steps === null;
  const reading = isStrict ? (at: number): number => readLine(json, at, read) : read;
  recovery.isValue = false;
  try {
    const step = nextRecord(frame, json, reading);
    if (step !== 'more') return step;
    const tooLong = json.end - frame.at > LIMITS.jsonRecordBytesMax;
    if (!isAtRecord(frame) || (!json.final && !tooLong)) return 'more';
    recovery.what = tooLong
      ? `it is longer than ${LIMITS.jsonRecordBytesMax} bytes`
      : 'the file ends before this is complete';
    // Nothing but the end of the array is missing.
    if (frame.state === 'next') frame.start = json.end;
  } catch (error) {
    if (!(error instanceof JsonFault) || !isAtRecord(frame)) throw error;
    const isOfRecord = error.kind === 'field' || error.kind === 'record';
    const fault = isOfRecord ? formFault(json, frame.start) : error;
    if (fault === 'more') return 'more';
    recovery.isValue = fault === null && error.kind === 'record';
    if (fault?.kind !== 'form' && !recovery.isValue) throw error;
    recovery.what = (fault ?? error).message;
  }
  return 'broken';
}

/**
 * What makes it no JSON at all, which counts more: a quote that is missing makes names that nobody
 * knows. Null: it is JSON.
 */
function formFault(json: JsonBytes, start: number): JsonFault | 'more' | null {
  try {
    const end = afterValue(json, start);
    if (end !== INCOMPLETE) return null;
    return json.final ? new JsonFault(json.end, 'the file ends before this is complete') : 'more';
  } catch (error) {
    if (error instanceof JsonFault) return error;
    throw error;
  }
}

/** A record that is all of its line; so must be what is JSON, but no record. */
function readLine(json: JsonBytes, at: number, read: (at: number) => number): number {
  let end: number;
  try {
    end = read(at);
  } catch (error) {
    if (!(error instanceof JsonFault) || error.kind !== 'record') throw error;
    if (aloneUpTo(json, at, afterValue(json, at)) === INCOMPLETE) return INCOMPLETE;
    throw error;
  }
  return aloneUpTo(json, at, end);
}

function aloneUpTo(json: JsonBytes, at: number, end: number): number {
  if (end === INCOMPLETE) return end;
  const { bytes } = json;
  let next = end;
  while (bytes[next] === 32 || bytes[next] === 9 || bytes[next] === 13) next++;
  if (next >= json.end) return json.final ? end : INCOMPLETE;
  if (bytes[next] === 10 && !bytes.subarray(at, end).includes(10)) return end;
  throw new JsonFault(next, 'it follows a broken record and is no line of its own');
}

function passBroken(recovery: Recovery, frame: RecordFrame, json: JsonBytes): RecoveringStep {
  const { start, indent, steps } = frame;
  const { lines, isValue } = recovery;
  const inArray = steps !== null;
  // One that is JSON ends where it does, for whoever only counts it, too.
  const end = isValue
    ? afterValue(json, start)
    : endOfBroken(json, { start, indent, lines, inArray });
  const tooLong = json.end - start > LIMITS.siftRecordBytesMax;
  recovery.pending = end === INCOMPLETE && !tooLong;
  if (recovery.pending) return 'more';
  recovery.alone = !isValue;
  passRecord(frame, end < 0 ? json.end : end);
  if (end < 0) recovery.skipping = lines && !inArray && !json.final ? 'line' : 'rest';
  if (end === ENDLESS) recovery.what += ', and nothing tells where the record ends';
  return 'bad';
}

/** Whether what is left of a broken record is passed. */
function skipped(recovery: Recovery, frame: RecordFrame, json: JsonBytes): boolean {
  const lineFeed = recovery.skipping === 'line' ? json.bytes.indexOf(10, frame.at) : -1;
  const found = lineFeed >= 0 && lineFeed < json.end;
  frame.at = found ? lineFeed : json.end;
  if (found) recovery.skipping = null;
  return found;
}
