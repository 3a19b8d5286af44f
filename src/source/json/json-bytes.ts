import { LIMITS } from '../../limits.ts';

/**
 * Bytes of a JSON text, of which there may be more. `bytes[end]` is 0, which no JSON text may hold:
 * so every loop stops there, and need not compare its place with the end at each byte.
 */
export interface JsonBytes {
  bytes: Buffer;
  end: number;
  /** Whether nothing comes after `end`. */
  final: boolean;
  /** Escapes in the strings that were passed: equal before and after one that has none. */
  escapes: number;
}

/** The bytes end before what was to be passed does. */
export const INCOMPLETE = -1;

/** What is wrong at `offset` of the bytes. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly offset: number;
  /** `form`: no JSON (RFC 8259). `field`: not one of those that are known. `record`: no object. */
  readonly kind: 'form' | 'field' | 'record' | 'array' | 'value' | 'length' | 'encoding';

  /** `what` for a sentence: `a value should be here`. */
  constructor(offset: number, what: string, kind: JsonFault['kind'] = 'form') {
    super(what);
    this.offset = offset;
    this.kind = kind;
  }
}

const [TAB, LF, CR, SPACE, QUOTE, COMMA, MINUS, POINT, ZERO, NINE, COLON] = [
  9, 10, 13, 32, 34, 44, 45, 46, 48, 57, 58,
] as const;
const [OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, SMALL_U, OPEN_BRACE, CLOSE_BRACE] = [
  91, 92, 93, 117, 123, 125,
] as const;

/** 1 for bytes that stand for themselves in a string. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte === QUOTE || byte === BACKSLASH ? 0 : 1,
);
const ESCAPES = new Set(Buffer.from('"\\/bfnrtu'));
const LITERALS = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
);

/** @returns the place of the first byte that is no white space; `end` where there is none */
export function afterSpace({ bytes }: JsonBytes, at: number): number {
  let next = at;
  let byte = bytes[next] as number;
  while (byte === SPACE || byte === LF || byte === CR || byte === TAB) {
    next++;
    byte = bytes[next] as number;
  }
  return next;
}

/**
 * Passes one value, checked to be JSON.
 *
 * @returns the place behind it, or INCOMPLETE
 * @throws JsonFault
 */
export function afterValue(json: JsonBytes, at: number, depth = 0): number {
  const byte = json.bytes[at] as number;
  switch (byte) {
    case QUOTE:
      return afterString(json, at + 1);
    case OPEN_BRACE:
      return afterObject(json, at, depth);
    case OPEN_BRACKET:
      return afterArray(json, at, depth);
    default:
      return byte === MINUS || isDigit(byte) ? afterNumber(json, at) : afterLiteral(json, at, byte);
  }
}

function afterObject(json: JsonBytes, at: number, depth: number): number {
  const { bytes } = json;
  refuseDepth(at, depth);
  let next = afterSpace(json, at + 1);
  if (bytes[next] === CLOSE_BRACE) return next + 1;
  for (;;) {
    next = afterName(json, next);
    if (next < 0) return next;
    next = afterValue(json, next, depth + 1);
    if (next < 0) return next;
    next = afterSpace(json, next);
    if (bytes[next] === CLOSE_BRACE) return next + 1;
    if (bytes[next] !== COMMA) return unexpected(json, next, '"," or "}" should be here');
    next = afterSpace(json, next + 1);
  }
}

function afterArray(json: JsonBytes, at: number, depth: number): number {
  const { bytes } = json;
  refuseDepth(at, depth);
  let next = afterSpace(json, at + 1);
  if (bytes[next] === CLOSE_BRACKET) return next + 1;
  for (;;) {
    next = afterValue(json, next, depth + 1);
    if (next < 0) return next;
    next = afterSpace(json, next);
    if (bytes[next] === CLOSE_BRACKET) return next + 1;
    if (bytes[next] !== COMMA) return unexpected(json, next, '"," or "]" should be here');
    next = afterSpace(json, next + 1);
  }
}

/** Passes a member's name, its colon and the white space behind it. */
function afterName(json: JsonBytes, at: number): number {
  if (json.bytes[at] !== QUOTE) return unexpected(json, at, NAME_MISSING);
  const end = afterString(json, at + 1);
  return end < 0 ? end : afterColon(json, end);
}

export const NAME_MISSING = 'a name in double quotes should be here';

/** Passes the colon after a name, and the white space around it. */
export function afterColon(json: JsonBytes, at: number): number {
  const colon = afterSpace(json, at);
  if (json.bytes[colon] !== COLON) return unexpected(json, colon, '":" should be here');
  return afterSpace(json, colon + 1);
}

/** Passes the rest of a string; `at` is behind its opening quote. */
export function afterString(json: JsonBytes, at: number): number {
  const { bytes } = json;
  let next = at;
  for (;;) {
    while (PLAIN[bytes[next] as number] === 1) next++;
    const byte = bytes[next];
    if (byte === QUOTE) return next + 1;
    if (byte !== BACKSLASH) {
      return unexpected(json, next, 'a control character must not stand in a string as it is');
    }
    json.escapes++;
    next = afterEscape(json, next);
    if (next < 0) return next;
  }
}

function afterEscape(json: JsonBytes, at: number): number {
  const kind = json.bytes[at + 1] as number;
  if (at + 1 >= json.end) return INCOMPLETE;
  if (!ESCAPES.has(kind)) throw new JsonFault(at, 'there is no such escape');
  if (kind !== SMALL_U) return at + 2;
  for (let digit = at + 2; digit < at + 6; digit++) {
    if (!isHex(json.bytes[digit] as number)) {
      return unexpected(json, digit, 'four hexadecimal digits should be here');
    }
  }
  return at + 6;
}

/** A number that ends where the bytes do may go on, unless nothing comes after them. */
function afterNumber(json: JsonBytes, at: number): number {
  const { bytes } = json;
  let next = bytes[at] === MINUS ? at + 1 : at;
  if (bytes[next] === ZERO) next++;
  else next = afterDigits(json, next);
  if (next < 0) return next;
  if (bytes[next] === POINT) next = afterDigits(json, next + 1);
  if (next < 0) return next;
  if (((bytes[next] as number) | 32) === 101) {
    const sign = bytes[next + 1];
    next = afterDigits(json, sign === MINUS || sign === 43 ? next + 2 : next + 1);
    if (next < 0) return next;
  }
  return next >= json.end && !json.final ? INCOMPLETE : next;
}

/** At least one. */
function afterDigits(json: JsonBytes, at: number): number {
  let next = at;
  while (isDigit(json.bytes[next] as number)) next++;
  return next === at ? unexpected(json, at, 'a digit should be here') : next;
}

function afterLiteral(json: JsonBytes, at: number, first: number): number {
  const literal = LITERALS.get(first);
  if (literal === undefined) return unexpected(json, at, 'a value should be here');
  for (let index = 1; index < literal.length; index++) {
    if (json.bytes[at + index] !== literal[index]) {
      return unexpected(json, at + index, 'a value should be here');
    }
  }
  return at + literal.length;
}

/** What cannot be here is a fault, unless it is only the end of the bytes that are known. */
export function unexpected(json: JsonBytes, at: number, what: string): number {
  if (at >= json.end) return INCOMPLETE;
  throw new JsonFault(at, what);
}

export function refuseDepth(at: number, depth: number): void {
  if (depth < LIMITS.jsonDepthMax) return;
  throw new JsonFault(at, `objects and arrays nest more than ${LIMITS.jsonDepthMax} deep`);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isHex(byte: number): boolean {
  return isDigit(byte) || ((byte | 32) >= 97 && (byte | 32) <= 102);
}
