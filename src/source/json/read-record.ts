import { childAt, type FieldNode } from './field-tree.ts';
import {
  afterColon,
  afterSpace,
  afterString,
  afterValue,
  INCOMPLETE,
  JsonFault,
  NAME_MISSING,
  refuseDepth,
  unexpected,
  type JsonBytes,
} from './json-bytes.ts';
import { stringText } from './string-text.ts';

/** Where the wanted values of a record are among the bytes. */
export interface RecordFields {
  readonly tree: FieldNode;
  /** Whether a member of the record that the tree does not know is a fault. */
  readonly closed: boolean;
  /** By slot: the value's first byte, or MISSING. */
  readonly starts: Int32Array;
  /** By slot: the place behind the value. */
  readonly ends: Int32Array;
  /** By slot: 0 where the value is a string without an escape. */
  readonly escaped: Uint8Array;
}

export const MISSING = -1;

export function recordFields(tree: FieldNode, slots: number, closed: boolean): RecordFields {
  return {
    ...{ tree, closed },
    starts: new Int32Array(slots),
    ends: new Int32Array(slots),
    escaped: new Uint8Array(slots),
  };
}

/**
 * Passes a record, all of it checked to be JSON, and notes where the wanted values are. Of a name
 * that comes twice the last value counts, as it does for jsonb.
 *
 * @returns the place behind the record, or INCOMPLETE
 * @throws JsonFault
 */
export function readRecord(json: JsonBytes, fields: RecordFields, at: number): number {
  fields.starts.fill(MISSING);
  if (at < json.end) refuseOther(json.bytes[at] as number, fields.tree, at);
  return readNode(json, fields, fields.tree, at, 0);
}

const [QUOTE, COMMA, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [
  34, 44, 91, 93, 123, 125,
] as const;

/** A number would have all pointers missing, and so be a row of nothing, unseen. */
function refuseOther(first: number, tree: FieldNode, at: number): void {
  if (first === OPEN_BRACE || (tree.children.length === 0 && tree.slots.length > 0)) return;
  if (first === OPEN_BRACKET && tree.byIndex.size > 0) return;
  if (!isValueStart(first)) return;
  const kind =
    first === OPEN_BRACKET ? 'an array' : first === QUOTE ? 'a string' : 'no object, but one value';
  throw new JsonFault(at, `the record is ${kind}`, 'record');
}

function isValueStart(byte: number): boolean {
  return '["-0123456789tfn'.includes(String.fromCharCode(byte));
}

function readNode(
  json: JsonBytes,
  fields: RecordFields,
  node: FieldNode,
  at: number,
  depth: number,
): number {
  const first = json.bytes[at];
  const { escapes } = json;
  const end =
    first === OPEN_BRACE && (node.children.length > 0 || (depth === 0 && fields.closed))
      ? readObject(json, fields, node, at, depth)
      : first === OPEN_BRACKET && node.byIndex.size > 0
        ? readArray(json, fields, node, at, depth)
        : afterValue(json, at, depth);
  if (end < 0) return end;
  for (const slot of node.slots) {
    fields.starts[slot] = at;
    fields.ends[slot] = end;
    fields.escaped[slot] = json.escapes === escapes ? 0 : 1;
  }
  return end;
}

function readObject(
  json: JsonBytes,
  fields: RecordFields,
  node: FieldNode,
  at: number,
  depth: number,
): number {
  const { bytes } = json;
  refuseDepth(at, depth);
  node.last = -1;
  let next = afterSpace(json, at + 1);
  if (bytes[next] === CLOSE_BRACE) return next + 1;
  for (;;) {
    if (bytes[next] !== QUOTE) return unexpected(json, next, NAME_MISSING);
    const { escapes } = json;
    const nameEnd = afterString(json, next + 1);
    if (nameEnd < 0) return INCOMPLETE;
    const child =
      json.escapes === escapes
        ? childAt(node, bytes, next + 1, nameEnd - 1)
        : childNamed(bytes, node, next, nameEnd);
    if (child === null && depth === 0 && fields.closed) throw unknownField(json, next, nameEnd);
    next = afterColon(json, nameEnd);
    if (next < 0) return INCOMPLETE;
    next = readChild(json, fields, child, next, depth + 1);
    if (next < 0) return INCOMPLETE;
    next = afterSpace(json, next);
    if (bytes[next] === CLOSE_BRACE) return next + 1;
    if (bytes[next] !== COMMA) return unexpected(json, next, '"," or "}" should be here');
    next = afterSpace(json, next + 1);
  }
}

function readArray(
  json: JsonBytes,
  fields: RecordFields,
  node: FieldNode,
  at: number,
  depth: number,
): number {
  const { bytes } = json;
  refuseDepth(at, depth);
  let next = afterSpace(json, at + 1);
  if (bytes[next] === CLOSE_BRACKET) return next + 1;
  for (let index = 0; ; index++) {
    next = readChild(json, fields, node.byIndex.get(index) ?? null, next, depth + 1);
    if (next < 0) return INCOMPLETE;
    next = afterSpace(json, next);
    if (bytes[next] === CLOSE_BRACKET) return next + 1;
    if (bytes[next] !== COMMA) return unexpected(json, next, '"," or "]" should be here');
    next = afterSpace(json, next + 1);
  }
}

/** An object that comes twice counts as its last: what the first one held is forgotten. */
function readChild(
  json: JsonBytes,
  fields: RecordFields,
  child: FieldNode | null,
  at: number,
  depth: number,
): number {
  if (child === null) return afterValue(json, at, depth);
  if (child.children.length > 0) {
    for (const slot of child.below) fields.starts[slot] = MISSING;
  }
  return readNode(json, fields, child, at, depth);
}

/** Of a name with escapes. */
function childNamed(bytes: Buffer, node: FieldNode, quote: number, end: number): FieldNode | null {
  const name = Buffer.from(stringText(bytes, quote, end));
  return childAt(node, name, 0, name.length);
}

function unknownField({ bytes }: JsonBytes, quote: number, end: number): JsonFault {
  const name = stringText(bytes, quote, end);
  return new JsonFault(
    quote,
    `it has a field "${name}", which none of the sampled records has`,
    'field',
  );
}
