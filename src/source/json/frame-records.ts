import {
  afterColon,
  afterSpace,
  afterString,
  afterValue,
  INCOMPLETE,
  JsonFault,
  NAME_MISSING,
  unexpected,
  type JsonBytes,
} from './json-bytes.ts';
import { stringText } from './string-text.ts';

/**
 * The way from record to record. A file is values one after another, with white space between them:
 * each is a record, or (with `steps`) holds an array of records, to which the steps lead by names.
 */
export interface RecordFrame {
  readonly steps: readonly string[] | null;
  /** Behind all that was passed; only whole things are passed. */
  at: number;
  /** How many of the steps are taken. */
  depth: number;
  /** By depth: whether the next step was met among the members of the object there. */
  readonly met: boolean[];
  state: FrameState;
  /** Records passed. */
  records: number;
  /** Where the record begins that is being read, or was; where a record should begin. */
  start: number;
  /** White space before it in its line; -1 where other things stand before it. */
  indent: number;
  /** The same of what is at `at`. */
  margin: number;
}

/** What comes next. */
type FrameState = 'value' | 'inside' | 'first member' | 'member' | 'members' | 'first' | 'next';

export type FrameStep = 'record' | 'more' | 'end';

export function startFrame(steps: readonly string[] | null): RecordFrame {
  const places = { at: 0, start: 0, indent: 0, margin: 0 };
  return { steps, depth: 0, met: [], state: 'value', records: 0, ...places };
}

/**
 * Passes what is between records, and the next record by `read`, which may note what it holds.
 *
 * @returns `more` where the bytes end before the record does, `end` after the last one
 * @throws JsonFault
 */
export function nextRecord(
  frame: RecordFrame,
  json: JsonBytes,
  read: (at: number) => number,
): FrameStep {
  for (;;) {
    const at = afterSpace(json, frame.at);
    if (frame.state === 'value' && at >= json.end) {
      frame.margin = indentOf(frame.margin, json, frame.at, at);
      frame.at = at;
      return json.final ? 'end' : 'more';
    }
    if (atRecord(frame, json, at)) {
      frame.indent = indentOf(frame.margin, json, frame.at, at);
      frame.start = at;
      const end = read(at);
      if (end === INCOMPLETE) return 'more';
      passRecord(frame, end);
      return 'record';
    }
    if (!step(frame, json, at)) return 'more';
  }
}

/** Counts what ends at `end` as a record, whatever it is. */
export function passRecord(frame: RecordFrame, end: number): void {
  frame.at = end;
  frame.margin = -1;
  frame.records++;
  frame.state = frame.steps === null ? 'value' : 'next';
}

/** Whether what is being read is a record, or stands where a record or its comma should. */
export function isAtRecord({ steps, state }: RecordFrame): boolean {
  return steps === null ? state === 'value' : state === 'first' || state === 'next';
}

const [QUOTE, COMMA, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [
  34, 44, 91, 93, 123, 125,
] as const;

function atRecord({ steps, state }: RecordFrame, { bytes }: JsonBytes, at: number): boolean {
  if (state === 'value') return steps === null;
  return state === 'first' && bytes[at] !== CLOSE_BRACKET;
}

/** One step between records; false where it needs more bytes. */
function step(frame: RecordFrame, json: JsonBytes, at: number): boolean {
  const byte = json.bytes[at] as number;
  switch (frame.state) {
    case 'value':
      frame.depth = 0;
      return moved(frame, at, 'inside');
    case 'inside':
      return enter(frame, json, at, byte);
    case 'first member':
    case 'members':
      if (byte === CLOSE_BRACE) return leaveObject(frame, at);
      if (frame.state === 'first member') return passMember(frame, json, at);
      if (byte === COMMA) return moved(frame, at + 1, 'member');
      return isMore(unexpected(json, at, '"," or "}" should be here'));
    case 'member':
      return passMember(frame, json, at);
    case 'first':
      return leave(frame, at);
    case 'next':
      if (byte === CLOSE_BRACKET) return leave(frame, at);
      if (byte === COMMA) return nextElement(frame, json, at);
      frame.start = at;
      frame.indent = indentOf(frame.margin, json, frame.at, at);
      return isMore(unexpected(json, at, '"," or "]" should be here'));
  }
}

/** Behind a comma a record must come: then the state is as for the first one. */
function nextElement(frame: RecordFrame, json: JsonBytes, comma: number): boolean {
  const at = afterSpace(json, comma + 1);
  if (at >= json.end) return false;
  frame.start = comma;
  frame.indent = -1;
  if (json.bytes[at] === CLOSE_BRACKET) throw new JsonFault(at, 'a value should be here');
  moved(frame, at, 'first');
  frame.margin = indentOf(-1, json, comma + 1, at);
  return true;
}

/** Of what is behind the white space from `from`, which has `margin` before it, to `at`. */
function indentOf(margin: number, { bytes }: JsonBytes, from: number, at: number): number {
  for (let place = at - 1; place >= from; place--) {
    if (bytes[place] === 10) return at - place - 1;
  }
  return margin < 0 ? -1 : margin + at - from;
}

function moved(frame: RecordFrame, at: number, state: FrameState): boolean {
  frame.at = at;
  frame.margin = -1;
  frame.state = state;
  return true;
}

/** A fault that is none, since only the bytes that are known end there. */
function isMore(place: number): boolean {
  return place !== INCOMPLETE;
}

/** Goes into the value that the steps taken so far lead to. */
function enter(frame: RecordFrame, json: JsonBytes, at: number, byte: number): boolean {
  if (at >= json.end) return false;
  const isLast = frame.depth === frame.steps?.length;
  if (byte === (isLast ? OPEN_BRACKET : OPEN_BRACE)) {
    if (!isLast) frame.met[frame.depth] = false;
    return moved(frame, at + 1, isLast ? 'first' : 'first member');
  }
  if (afterValue(json, at) === INCOMPLETE && !json.final) return false;
  const where = pathOf(frame, frame.depth);
  throw new JsonFault(at, `${where} is no ${isLast ? 'array of records' : 'object'}`, 'array');
}

function passMember(frame: RecordFrame, json: JsonBytes, at: number): boolean {
  if (json.bytes[at] !== QUOTE) return isMore(unexpected(json, at, NAME_MISSING));
  const nameEnd = afterString(json, at + 1);
  if (nameEnd < 0) return false;
  const value = afterColon(json, nameEnd);
  if (value < 0) return false;
  if (stringText(json.bytes, at, nameEnd) === frame.steps?.[frame.depth]) {
    if (frame.met[frame.depth] === true) {
      throw new JsonFault(at, `${pathOf(frame, frame.depth + 1)} comes twice`, 'array');
    }
    frame.met[frame.depth] = true;
    frame.depth++;
    return moved(frame, value, 'inside');
  }
  const end = afterValue(json, value, frame.depth + 1);
  return end !== INCOMPLETE && moved(frame, end, 'members');
}

function leaveObject(frame: RecordFrame, at: number): boolean {
  if (frame.met[frame.depth] !== true) {
    throw new JsonFault(at, `there is no ${pathOf(frame, frame.depth + 1)} before this`, 'array');
  }
  return leave(frame, at);
}

function leave(frame: RecordFrame, at: number): boolean {
  if (frame.depth === 0) return moved(frame, at + 1, 'value');
  frame.depth--;
  return moved(frame, at + 1, 'members');
}

function pathOf({ steps }: RecordFrame, depth: number): string {
  return depth === 0 ? 'the value' : `"${(steps ?? []).slice(0, depth).join('/')}"`;
}
