import type * as z from 'zod';
import { redactUrl } from './database-choice.ts';
import { allowedBy, schemaNodeAt } from './job-options.ts';
import { formatPath, isRecord, valueAt } from './json-path.ts';
import { didYouMean } from './nearest-name.ts';

const VALUE_CHARACTERS_MAX = 80;
const REDACTED_CHARACTERS_MAX = 10_000;

/** Where a value was set, for people: `line 4`, `--key`, `ETL_CONCURRENCY`; null is not known. */
export type OriginOf = (path: readonly PropertyKey[]) => string | null;

/**
 * What validation found, one sentence a problem: path and origin, the value, what is allowed, and
 * the nearest known name.
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  root: unknown,
  originOf: OriginOf,
): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => describeUnknownKey([...issue.path, key], originOf));
  }
  if (issue.code === 'invalid_key') {
    return [`${whereOf(issue.path, originOf)}: ${namesAllowed(issue.path)}`];
  }
  const node = schemaNodeAt(issue.path);
  const allowed = node === null ? issue.message : allowedBy(node);
  const value = withoutLogin(valueAt(root, issue.path), issue.path);
  const where = whereOf(issue.path, originOf);
  if (value === undefined) return [`${where}: is missing; it must be ${allowed}.`];
  const choices = node?.enum?.map(String) ?? [];
  const hint = typeof value === 'string' ? didYouMean(value, choices) : '';
  return [
    `${where}: ${show(value)} is not allowed; it must be ${allowedWords(allowed, choices)}.${hint}`,
  ];
}

/** A URL whose scheme was forgotten has a password all the same, which no pattern finds in other texts. */
function withoutLogin(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.at(-1) === 'databaseUrl' && typeof value === 'string'
    ? value.replace(/:(?!\/\/)[^]*@/, ':***@')
    : value;
}

export function whereOf(path: readonly PropertyKey[], originOf: OriginOf): string {
  const origin = originOf(path);
  return origin === null ? formatPath(path) : `${formatPath(path)} (${origin})`;
}

/** A value as JSON, short, and without a password. */
export function show(value: unknown): string {
  // A number too large for JavaScript is read as Infinity, for which JSON has no word.
  const whole = typeof value === 'number' ? String(value) : JSON.stringify(value);
  // Of a long text only the beginning; the added @ ends a password that the cut left open.
  const cut = whole.length > REDACTED_CHARACTERS_MAX;
  const text = redactUrl(cut ? `${whole.slice(0, REDACTED_CHARACTERS_MAX)}@` : whole);
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
}

function describeUnknownKey(path: readonly PropertyKey[], originOf: OriginOf): string {
  const properties = schemaNodeAt(path.slice(0, -1))?.properties;
  const known = isRecord(properties) ? Object.keys(properties) : [];
  const hint = didYouMean(String(path.at(-1)), known);
  const rest = hint === '' ? ` Known are ${known.join(', ')}.` : hint;
  return `${whereOf(path, originOf)}: there is no such setting.${rest}`;
}

/** Of a mapping whose names have a form: its schema says which. */
function namesAllowed(path: readonly PropertyKey[]): string {
  const names = schemaNodeAt(path.slice(0, -1))?.propertyNames;
  return names?.pattern === undefined
    ? 'a name may not be empty.'
    : 'this is not the name of a parameter; it is written in small letters, digits and _.';
}

function allowedWords(allowed: string, choices: readonly string[]): string {
  return choices.length > 0 ? `one of ${allowed}` : allowed;
}
