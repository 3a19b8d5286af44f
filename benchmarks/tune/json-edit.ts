import { assert } from '../../src/assert.ts';

/**
 * Sets members of an object in JSON text, one object deep, and leaves every other character as it
 * is. The text is valid JSON; a byte-order mark may come first.
 */
export function setMembers(
  text: string,
  objectKey: string,
  values: Readonly<Record<string, number>>,
): string {
  const root = objectAt(text, skipSpace(text, text.startsWith('\uFEFF') ? 1 : 0));
  const entries = Object.entries(values);
  if (entries.length === 0) return text;
  const object = memberOf(root, objectKey);
  if (object === undefined) {
    const inner = entries.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(', ');
    return withMember(text, root, objectKey, `{ ${inner} }`);
  }
  let edited = text;
  for (const [key, value] of entries) {
    // Places move with each edit, so they are looked for again; a job file is small.
    const now = objectAt(edited, object.valueStart);
    const member = memberOf(now, key);
    edited =
      member === undefined
        ? withMember(edited, now, key, String(value))
        : edited.slice(0, member.valueStart) + String(value) + edited.slice(member.valueEnd);
  }
  return edited;
}

interface Member {
  readonly key: string;
  /** Offset of the key's quote. */
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

interface JsonObject {
  /** Offset of the brace. */
  readonly start: number;
  readonly members: readonly Member[];
  /** Offset after the closing brace. */
  readonly end: number;
}

/** After the last member, with the white space that stands before and inside of that one. */
function withMember(text: string, object: JsonObject, key: string, value: string): string {
  const last = object.members.at(-1);
  const name = JSON.stringify(key);
  if (last === undefined) {
    return `${text.slice(0, object.start)}{ ${name}: ${value} }${text.slice(object.end)}`;
  }
  const before = /\s*$/.exec(text.slice(0, last.keyStart))?.[0] ?? '';
  const between = text.slice(last.keyEnd, last.valueStart);
  const added = `,${before}${name}${between}${value}`;
  return text.slice(0, last.valueEnd) + added + text.slice(last.valueEnd);
}

/** The last of equal keys, which is the one that JSON.parse takes. */
function memberOf(object: JsonObject, key: string): Member | undefined {
  return object.members.findLast((member) => member.key === key);
}

function objectAt(text: string, start: number): JsonObject {
  assert(text[start] === '{', 'a job file and its settings are JSON objects');
  const members: Member[] = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== '}') {
    const keyStart = at;
    const keyEnd = endOfValue(text, keyStart);
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    const key = JSON.parse(text.slice(keyStart, keyEnd)) as string;
    members.push({ key, keyStart, keyEnd, valueStart, valueEnd });
    at = skipSpace(text, valueEnd);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return { start, members, end: at + 1 };
}

/** Brackets are counted outside of strings; all else ends before a comma or a bracket. */
function endOfValue(text: string, start: number): number {
  const token = /"(?:[^"\\]|\\.)*"|[[\]{}]|[^\s,:[\]{}"]+|[\s,:]+/gy;
  token.lastIndex = start;
  let depth = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [part] = found;
    if (part === '{' || part === '[') depth += 1;
    else if (part === '}' || part === ']') depth -= 1;
    if (depth === 0) return token.lastIndex;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text[at] ?? '')) at += 1;
  return at;
}
