import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowFault, rowText, type FieldKinds } from '../../../../src/run/upsert/row-text.ts';
import { checkProperty } from '../../../support/property.ts';

const FILE = '--project unit test/unit/run/upsert/row-text.test.ts';

function text(row: unknown, kinds: FieldKinds = new Map()): string {
  return rowText(row, kinds);
}

function fault(row: unknown): { what: string; field: string | null } {
  try {
    const said = text(row);
    throw new Error(`no fault: ${said}`);
  } catch (error) {
    if (!(error instanceof RowFault)) throw error;
    return { what: error.message, field: error.field };
  }
}

class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  toJSON(): string {
    return `${this.#cents / 100}`;
  }
}

class Point {
  readonly x = 1;
  readonly y = 2;
}

describe('a row as JSON', () => {
  it.each<[string, object, string]>([
    ['nothing', {}, '{}'],
    ['texts', { a: 'x', b: '', 'c"': 'l\nm"\\' }, String.raw`{"a":"x","b":"","c\"":"l\nm\"\\"}`],
    [
      'text that UTF-8 lacks',
      { a: '\ud800', b: '\u0000' },
      String.raw`{"a":"\ud800","b":"\u0000"}`,
    ],
    ['numbers', { a: 1, b: -1.5, c: 1e21, d: 5e-324 }, '{"a":1,"b":-1.5,"c":1e+21,"d":5e-324}'],
    ['the negative zero', { a: -0 }, '{"a":-0}'],
    ['no numbers', { a: NaN, b: -Infinity }, '{"a":"NaN","b":"-Infinity"}'],
    ['a bigint', { a: 12345678901234567890n }, '{"a":12345678901234567890}'],
    ['booleans', { a: true, b: false }, '{"a":true,"b":false}'],
    ['what is not there', { a: null, b: undefined, c: 1 }, '{"a":null,"c":1}'],
    ['a Date', { a: new Date(86_400_123) }, '{"a":"1970-01-02T00:00:00.123Z"}'],
    [
      'a late Date',
      { a: new Date('+012345-01-02T03:04:05Z') },
      '{"a":"12345-01-02T03:04:05.000Z"}',
    ],
    [
      'a Date BC',
      { a: new Date('-000043-03-15T00:00:00Z') },
      '{"a":"0044-03-15T00:00:00.000Z BC"}',
    ],
    ['the year 0', { a: new Date('0000-01-01T00:00:00Z') }, '{"a":"0001-01-01T00:00:00.000Z BC"}'],
    [
      'bytes',
      { a: Buffer.from([0, 255]), b: new Uint8Array(0) },
      String.raw`{"a":"\\x00ff","b":"\\x"}`,
    ],
    ['a view of bytes', { a: new Uint8Array([1, 2, 3]).subarray(1) }, String.raw`{"a":"\\x0203"}`],
    ['an ArrayBuffer', { a: new Uint8Array([7]).buffer }, String.raw`{"a":"\\x07"}`],
    ['numbers of one type', { a: new Float32Array([0.5, NaN]) }, '{"a":[0.5,"NaN"]}'],
    ['lists', { a: [1, null, undefined, [2n]] }, '{"a":[1,null,null,[2]]}'],
    [
      'objects',
      { a: { b: { c: new Date(0) }, d: undefined } },
      '{"a":{"b":{"c":"1970-01-01T00:00:00.000Z"}}}',
    ],
    [
      'what is boxed',
      {
        a: new String('x'),
        b: new Number(1.5),
        c: [new Boolean(false)],
        d: { e: Object(7n) as object },
      },
      '{"a":"x","b":1.5,"c":[false],"d":{"e":7}}',
    ],
    ['what has a toJSON', { a: new Money(150), b: [new Money(5)] }, '{"a":"1.5","b":["0.05"]}'],
    ['an object of a class', { a: new Point() }, '{"a":{"x":1,"y":2}}'],
    [
      'the same object twice',
      ((same) => ({ a: same, b: [same, same] }))({ x: 1 }),
      '{"a":{"x":1},"b":[{"x":1},{"x":1}]}',
    ],
    [
      'an object without a prototype',
      Object.assign(Object.create(null) as object, { a: 1 }),
      '{"a":1}',
    ],
    [
      'a field named like a prototype',
      JSON.parse('{"__proto__":1,"constructor":2}') as object,
      '{"__proto__":1,"constructor":2}',
    ],
  ])('has %s', (_, row, wanted) => {
    expect(text(row)).toBe(wanted);
    JSON.parse(wanted);
  });

  it('is what JSON.stringify makes of plain values', async () => {
    const plain = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue());
    await checkProperty(
      FILE,
      fc.asyncProperty(plain, async (row) => {
        // JSON.stringify makes 0 of the negative zero.
        expect(JSON.stringify(JSON.parse(text(row)))).toBe(JSON.stringify(row));
      }),
      300,
    );
  });

  it('may be what the row itself says by a toJSON', () => {
    expect(text({ toJSON: () => ({ id: 1 }) })).toBe('{"id":1}');
  });
});

describe('a row that cannot be said', () => {
  const loop: Record<string, unknown> = { id: 1 };
  loop['list'] = [loop];
  let deep: unknown = 1;
  for (let depth = 0; depth < 1_001; depth++) deep = [deep];
  it.each<[string, unknown, string, string | null]>([
    ['null', null, 'the row is null', null],
    ['a list', [1], 'the row is an array', null],
    ['a text', 'abc', 'the row is a string', null],
    ['bytes', Buffer.from('x'), 'the row is of the class Buffer', null],
    ['a Map', new Map(), 'the row is of the class Map', null],
    ['a function', { a: 1, f: () => 1 }, 'it is a function', 'f'],
    ['a symbol', { a: Symbol('x') }, 'it is a symbol', 'a'],
    ['a function inside', { a: [{ b: () => 1 }] }, 'it holds a function', 'a'],
    ['a Map inside', { a: { b: new Map([[1, 2]]) } }, 'it is of the class Map', 'a'],
    ['a Promise', { a: Promise.resolve(1) }, 'it is of the class Promise', 'a'],
    ['a Date that is none', { a: new Date('x') }, 'it is a Date that is no date', 'a'],
    ['itself', loop, 'it contains itself', 'list'],
    ['too many levels', { a: deep }, 'it nests more than 1000 deep', 'a'],
    ['a field without a name', { '': 1 }, 'a field has an empty name', null],
    [
      'a getter that throws',
      {
        get a(): number {
          throw new Error('not loaded');
        },
      },
      'the row cannot be read: not loaded',
      null,
    ],
  ])('is refused for %s', (_, row, what, field) => {
    const refused = fault(row);
    expect(refused.what).toContain(what);
    expect(refused.field).toBe(field);
  });
});

describe('the fields of rows', () => {
  it('are told in the order in which they come, with what they hold', () => {
    const kinds: FieldKinds = new Map();
    text({ id: 1, raw: Buffer.from('x'), none: null }, kinds);
    text({ late: undefined, id: 2, raw: null, mixed: Buffer.from('x') }, kinds);
    text({ mixed: 'x' }, kinds);
    expect([...kinds]).toEqual([
      ['id', 'other'],
      ['raw', 'bytes'],
      ['none', 'none'],
      ['late', 'none'],
      ['mixed', 'other'],
    ]);
  });

  it('are not those of a row that is refused', () => {
    const kinds: FieldKinds = new Map();
    expect(() => text({ ok: 1, bad: () => 1 }, kinds)).toThrow(RowFault);
    expect([...kinds]).toEqual([]);
  });
});
