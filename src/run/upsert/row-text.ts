import { LIMITS } from '../../limits.ts';

/** Why a row cannot be said in JSON, and where in it. */
export class RowFault extends Error {
  override readonly name = 'RowFault';
  /** The field that it is in; null where it is the row itself. */
  readonly field: string | null;

  constructor(what: string, field: string | null) {
    super(what);
    this.field = field;
  }
}

/** Fields met so far, in their order, and what their values were: all bytes, others, or none yet. */
export type FieldKinds = Map<string, 'bytes' | 'other' | 'none'>;

/**
 * A row as one line of JSON, without its line end, as PostgreSQL is to read it: numbers keep their digits
 * (`bigint` too), NaN and the infinities are their names, a Date is its ISO form in UTC, bytes are `\x` and
 * hexadecimal digits, and what has a `toJSON`, or is boxed, is what that returns. A field that is
 * `undefined` is left out, and so is NULL.
 *
 * JSON.stringify takes 0.6 of the time, but makes null of NaN and of a Date that is none, `{}` of a Map,
 * drops functions, and refuses a `bigint`: each of them would be loaded as something else, or not at all.
 *
 * @param kinds the row's fields are added, unless it is at fault
 * @throws RowFault
 */
export function rowText(row: unknown, kinds: FieldKinds): string {
  try {
    return objectText(rowOf(row), kinds);
  } catch (error) {
    if (error instanceof RowFault) throw error;
    // A getter, a toJSON or a proxy of the caller's own.
    const said = error instanceof Error ? error.message : String(error);
    throw new RowFault(`the row cannot be read: ${said}`, null);
  }
}

function rowOf(row: unknown): object {
  const plain = typeof row === 'object' && row !== null ? jsonOf(row, '') : row;
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain) || isBytes(plain)) {
    throw new RowFault(`the row is ${kindOf(plain)}, and no object`, null);
  }
  refuseOpaque(plain, null);
  return plain;
}

function objectText(row: object, kinds: FieldKinds): string {
  let text = '';
  const learned: [string, 'bytes' | 'other' | 'none'][] = [];
  for (const name of Object.keys(row)) {
    const value = (row as Readonly<Record<string, unknown>>)[name];
    if (name === '') throw new RowFault('a field has an empty name', null);
    const known = kinds.get(name);
    if (value === undefined || value === null) {
      if (known === undefined) learned.push([name, 'none']);
      if (value === undefined) continue;
    } else if (known !== 'other') {
      learned.push([name, isBytes(value) ? 'bytes' : 'other']);
    }
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${fieldText(value, name)}`;
    if (text.length > LIMITS.jsonRecordBytesMax) throw tooLong(name);
  }
  for (const [name, kind] of learned) kinds.set(name, kind);
  return `{${text}}`;
}

function fieldText(value: unknown, field: string): string {
  // Most values lie in nothing: a place for each of them would take half as long as its text.
  const place = typeof value === 'object' && value !== null ? { field, above: [] } : NOWHERE;
  const text = valueText(value, place);
  if (text !== undefined) return text;
  throw new RowFault(`it is ${kindOf(value)}, which no column takes`, field);
}

/** Where a value is. */
interface Place {
  readonly field: string;
  /** The objects and arrays that it lies in. */
  readonly above: unknown[];
}

const NOWHERE: Place = { field: '', above: [] };

/** Undefined for what JSON has no word for. */
function valueText(value: unknown, place: Place): string | undefined {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return numberText(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : nestedText(value, place);
    default:
      return undefined;
  }
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function nestedText(value: object, place: Place): string | undefined {
  const { field, above } = place;
  if (value instanceof Date) return dateText(value, field);
  if (isBytes(value)) return `"\\\\x${bytesOf(value).toString('hex')}"`;
  const plain = jsonOf(value, field);
  if (typeof plain !== 'object' || plain === null) return valueText(plain, place);
  if (plain !== value && (plain instanceof Date || isBytes(plain))) return nestedText(plain, place);
  if (above.includes(plain)) throw new RowFault('it contains itself', field);
  if (above.length >= LIMITS.jsonDepthMax) {
    throw new RowFault(`it nests more than ${LIMITS.jsonDepthMax} deep`, field);
  }
  above.push(plain);
  const text = isList(plain) ? listText(plain, place) : membersText(plain, place);
  above.pop();
  return text;
}

function listText(list: ArrayLike<unknown>, place: Place): string {
  let text = '';
  for (let index = 0; index < list.length; index++) {
    const value = list[index];
    // As JSON.stringify has it: a place of a list cannot be left out.
    text += `${index === 0 ? '' : ','}${value === undefined ? 'null' : innerText(value, place)}`;
    if (text.length > LIMITS.jsonRecordBytesMax) throw tooLong(place.field);
  }
  return `[${text}]`;
}

function membersText(value: object, place: Place): string {
  refuseOpaque(value, place.field);
  let text = '';
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${innerText(member, place)}`;
    if (text.length > LIMITS.jsonRecordBytesMax) throw tooLong(place.field);
  }
  return `{${text}}`;
}

function innerText(value: unknown, place: Place): string {
  const text = valueText(value, place);
  if (text !== undefined) return text;
  throw new RowFault(`it holds ${kindOf(value)}, for which JSON has no word`, place.field);
}

/** Years that ISO 8601 writes with a sign, PostgreSQL writes with all their digits, or with BC. */
function dateText(date: Date, field: string): string {
  if (Number.isNaN(date.getTime())) throw new RowFault('it is a Date that is no date', field);
  const text = date.toISOString();
  const [, sign, year = '', rest = ''] = /^([+-])(\d{6})(.*)$/.exec(text) ?? [];
  if (sign === undefined)
    return text.startsWith('0000') ? `"0001${text.slice(4)} BC"` : `"${text}"`;
  if (sign === '+') return `"${Number(year)}${rest}"`;
  // There is a year 0 in ISO 8601, and none before Christ.
  return `"${String(Number(year) + 1).padStart(4, '0')}${rest} BC"`;
}

/** Buffer's own toJSON would spell each byte as a number, and a Date's a wrong date as null. */
function jsonOf(value: object, key: string): unknown {
  if (!('toJSON' in value) || typeof value.toJSON !== 'function') return unboxed(value);
  if (value instanceof Date || isBytes(value)) return value;
  return (value as { toJSON(key: string): unknown }).toJSON(key);
}

/** `new String('x')`, as some decoders give it: its members would be its letters. */
function unboxed(value: object): unknown {
  if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) return value;
  const isBoxed = [String, Number, Boolean, BigInt].some((type) => value instanceof type);
  return isBoxed ? value.valueOf() : value;
}

function isBytes(value: unknown): value is Uint8Array | ArrayBuffer {
  return value instanceof Uint8Array || value instanceof ArrayBuffer;
}

function bytesOf(value: Uint8Array | ArrayBuffer): Buffer {
  return value instanceof ArrayBuffer
    ? Buffer.from(value)
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** A list, or an array of numbers of one type. */
function isList(value: object): value is ArrayLike<unknown> & object {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** What they hold is not in their members: JSON would say `{}`, and nobody would notice. */
function refuseOpaque(value: object, field: string | null): void {
  if (Object.getPrototypeOf(value) === Object.prototype) return;
  const opaque = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, RegExp, DataView, Error].find(
    (type) => value instanceof type,
  );
  if (opaque === undefined) return;
  throw new RowFault(`${field === null ? 'the row' : 'it'} is ${kindOf(value)}`, field);
}

function tooLong(field: string): RowFault {
  return new RowFault(`the row has more than ${LIMITS.jsonRecordBytesMax} characters`, field);
}

/** For a sentence. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)
    ?.constructor?.name;
  const plain = name === undefined || name === '' || name === 'Object';
  return plain ? 'an object' : `of the class ${name}`;
}
