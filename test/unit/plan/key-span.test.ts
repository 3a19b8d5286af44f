import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangesMeet, type KeyRange } from '../../../src/conflict/key-range.ts';
import {
  isOrdered,
  isRising,
  meetsAnother,
  ordersAsSampled,
  spanOf,
  widened,
} from '../../../src/plan/key-span.ts';
import { type } from './fixtures.ts';

describe('the span of sampled keys', () => {
  it.each([
    ['int8', ['9', '10', null, '-1'], '-1', '10', { kind: 'integer', min: '-1', max: '10' }],
    [
      'int8',
      ['9007199254740993', '9007199254740992'],
      '9007199254740992',
      '9007199254740993',
      { kind: 'integer', min: '9007199254740992', max: '9007199254740993' },
    ],
    ['int8', ['9', 'x'], '9', 'x', null],
    ['text', ['b', 'Z', 'é'], 'Z', 'é', { kind: 'bytes', min: 'Z', max: 'é' }],
    ['numeric', ['10.5', '9'], '9', '10.5', null],
    [
      'date',
      ['1970-01-02', '1970-01-01'],
      '1970-01-01',
      '1970-01-02',
      { kind: 'integer', min: '0', max: '86400000000' },
    ],
    [
      'timestamp',
      ['1970-01-01 00:00:01', '1970-01-01T00:00:00.5'],
      '1970-01-01T00:00:00.5',
      '1970-01-01 00:00:01',
      { kind: 'integer', min: '500000', max: '1000000' },
    ],
    ['timestamptz', ['1970-01-01 00:00+01'], '1970-01-01 00:00+01', '1970-01-01 00:00+01', null],
    ['uuid', ['b', 'a'], 'a', 'b', null],
    ['int8', [null], null, null, null],
  ])('of %s %j', (typeName, values, min, max, range) => {
    expect(spanOf(type(typeName), values)).toEqual({ min, max, range });
  });

  it('has no range of texts that are equal without the same bytes', () => {
    expect(spanOf(type('text', { bytewise: false }), ['a']).range).toBeNull();
  });

  it('is widened by a footer that is of the same kind', () => {
    const span = spanOf(type('int4'), ['5', '7']);
    const footer: KeyRange = { kind: 'integer', min: '1', max: '6' };
    expect(widened(span, type('int4'), footer)).toEqual({
      min: '1',
      max: '7',
      range: { kind: 'integer', min: '1', max: '7' },
    });
    expect(widened(span, type('int4'), null)).toBe(span);
    expect(widened(span, type('int4'), { kind: 'bytes', min: 'a', max: 'b' })).toBe(span);
    const dates = widened(spanOf(type('date'), ['1970-01-01']), type('date'), footer);
    expect(dates).toMatchObject({ min: '1970-01-01', range: { min: '0', max: '6' } });
  });
});

describe('ranges that meet another one', () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.nat({ max: 6 }))
    .map(([min, wide]): KeyRange => ({
      kind: 'integer',
      min: String(min),
      max: String(min + wide),
    }));

  it('are those that any pair tells', () => {
    fc.assert(
      fc.property(fc.array(fc.option(range, { freq: 20 }), { maxLength: 12 }), (ranges) => {
        expect(meetsAnother(ranges)).toEqual(
          ranges.map((one, i) => ranges.some((other, j) => i !== j && rangesMeet(one, other))),
        );
      }),
    );
  });
});

describe('files sorted by their key', () => {
  const integers = type('int8');

  it.each([
    [['1', '2', '10', '11'], true],
    [['11', '10', '2', '1'], true],
    [['1', '1', '1'], true],
    [['1', '9', '2', '8'], false],
    [[...Array.from({ length: 99 }, (_, i) => String(i)), '0'], true],
  ])('%j: %s', (values, expected) => {
    expect(isOrdered(integers, values)).toBe(expected);
  });

  it.each([
    [['1', '2', null, '10', '11'], true],
    [['1', '1', '1'], false],
    [[...Array.from({ length: 40 }, () => '1'), '2'], true],
    [[...Array.from({ length: 100 }, () => '1'), '2'], false],
    [['2', '10', '9', '11'], false],
    [['11', '10'], false],
    [[], true],
  ])('%j rise all the way: %s', (values, expected) => {
    expect(isRising(integers, values)).toBe(expected);
  });

  it('lie as the database orders them, but for texts', () => {
    const alike = ['int4', 'numeric', 'date', 'timestamp', 'uuid'].map((name) => type(name));
    expect(alike.map(ordersAsSampled)).toEqual(alike.map(() => true));
    expect(['text', 'varchar', 'timestamptz'].map((name) => ordersAsSampled(type(name)))).toEqual([
      ...[false, false, false],
    ]);
  });
});
