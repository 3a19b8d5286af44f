import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { formatPath } from './json-path.ts';

/**
 * JSON with the line of every value, for messages that say where. JSON.parse cannot serve: on
 * Node 20 it names no position for some errors, never a line, and it takes the last of two equal
 * keys without a word. What it accepts and refuses is otherwise the same; a test compares the two.
 */
export interface JsonDocument {
  readonly value: unknown;
  /** 1-based line of the value at a path (see `formatPath`), or undefined. */
  readonly lineOf: (path: string) => number | undefined;
  /** What is JSON, but no key that a job may have: repeated keys and `__proto__`. */
  readonly problems: readonly string[];
}

export function parseJsonText(text: string, fileName: string): JsonDocument {
  const cursor: Cursor = {
    text: text.replace(/^\uFEFF/, ''),
    fileName,
    at: 0,
    line: 1,
    lineStart: 0,
    lines: new Map(),
    problems: [],
  };
  skipSpace(cursor);
  const value = readValue(cursor, []);
  skipSpace(cursor);
  if (cursor.at < cursor.text.length) throw syntaxError(cursor, 'the end of the file');
  return { value, lineOf: (path) => cursor.lines.get(path), problems: cursor.problems };
}

interface Cursor {
  readonly text: string;
  readonly fileName: string;
  at: number;
  /** 1-based line of `at`, and where it starts; kept as we go, since files may list many names. */
  line: number;
  lineStart: number;
  readonly lines: Map<string, number>;
  readonly problems: string[];
}

type Path = readonly (string | number)[];

function readValue(cursor: Cursor, path: Path): unknown {
  if (path.length > LIMITS.jobDepthMax) {
    throw syntaxError(cursor, `a document of at most ${LIMITS.jobDepthMax} levels`);
  }
  cursor.lines.set(formatPath(path), cursor.line);
  const first = cursor.text[cursor.at];
  if (first === '{') return readObject(cursor, path);
  if (first === '[') return readArray(cursor, path);
  return first === '"' ? readString(cursor, 'a value') : readScalar(cursor);
}

function readObject(cursor: Cursor, path: Path): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  cursor.at += 1;
  skipSpace(cursor);
  if (take(cursor, '}')) return result;
  for (;;) {
    skipSpace(cursor);
    const { line } = cursor;
    const key = readString(cursor, 'a key in double quotes');
    skipSpace(cursor);
    if (!take(cursor, ':')) throw syntaxError(cursor, '":"');
    skipSpace(cursor);
    const value = readValue(cursor, [...path, key]);
    const where = `${formatPath([...path, key])} (line ${line})`;
    if (key === '__proto__') cursor.problems.push(`${where}: the key "__proto__" is not allowed.`);
    else if (Object.hasOwn(result, key)) cursor.problems.push(`${where}: the key comes twice.`);
    else result[key] = value;
    skipSpace(cursor);
    if (take(cursor, '}')) return result;
    if (!take(cursor, ',')) throw syntaxError(cursor, '"," or "}"');
  }
}

function readArray(cursor: Cursor, path: Path): unknown[] {
  const result: unknown[] = [];
  cursor.at += 1;
  skipSpace(cursor);
  if (take(cursor, ']')) return result;
  for (;;) {
    skipSpace(cursor);
    result.push(readValue(cursor, [...path, result.length]));
    skipSpace(cursor);
    if (take(cursor, ']')) return result;
    if (!take(cursor, ',')) throw syntaxError(cursor, '"," or "]"');
  }
}

function readString(cursor: Cursor, expected: string): string {
  const start = cursor.at;
  if (!take(cursor, '"')) throw syntaxError(cursor, expected);
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character === undefined || character < ' ') {
      throw syntaxError(cursor, 'the closing quote of a text');
    }
    cursor.at += character === '\\' ? 2 : 1;
    if (character === '"') break;
  }
  try {
    return JSON.parse(cursor.text.slice(start, cursor.at)) as string;
  } catch {
    cursor.at = start;
    throw syntaxError(cursor, 'a text with valid escapes (a backslash is written as \\\\)');
  }
}

function readScalar(cursor: Cursor): unknown {
  const pattern = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text);
  if (found === null) throw syntaxError(cursor, 'a value');
  cursor.at += found[0].length;
  return JSON.parse(found[0]) as unknown;
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character !== ' ' && character !== '\t' && character !== '\r' && character !== '\n') return;
    cursor.at += 1;
    // A raw line end cannot stand inside a text, so all of them pass here.
    if (character === '\n') {
      cursor.line += 1;
      cursor.lineStart = cursor.at;
    }
  }
}

function take(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at += 1;
  return true;
}

function syntaxError(cursor: Cursor, expected: string): EtlError {
  const column = cursor.at - cursor.lineStart + 1;
  const code = cursor.text.codePointAt(cursor.at);
  const found =
    code === undefined ? 'the file ends' : `found ${JSON.stringify(String.fromCodePoint(code))}`;
  return new EtlError(
    'ETL_JOB_INVALID',
    `Not valid JSON at column ${column}: expected ${expected}, but ${found}.`,
    syntaxRemedy(cursor.text, cursor.at),
    { file: cursor.fileName, line: cursor.line },
  );
}

function syntaxRemedy(text: string, at: number): string {
  const rest = text.slice(at);
  if (/^(?:\/\/|\/\*|#)/.test(rest)) {
    return 'JSON has no comments; "description" holds free text for a job and for a load.';
  }
  if (/^[}\]]/.test(rest) && /,\s*$/.test(text.slice(0, at))) return 'Remove the comma before it.';
  if (rest.startsWith("'")) return 'JSON takes double quotes only.';
  return 'Correct the file.';
}
