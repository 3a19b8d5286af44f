import { describe, expect, it } from 'vitest';
import { chooseForm, isWritten } from '../../../src/plan/text-forms.ts';
import type { TargetType } from '../../../src/target/table.ts';
import { PLAIN_DIALECT } from '../../../src/source/csv/plain-dialect.ts';
import { type } from './fixtures.ts';

const DIALECT = { ...PLAIN_DIALECT, header: true };

/** What the files have, and what the server spells for the same value. */
type Pair = readonly [file: string | null, table: string | null];

describe('the form in which the server spells a column', () => {
  it.each<[string, TargetType, Pair, object]>([
    ['text', type('text'), ['a', 'a'], { kind: 'plain' }],
    ['true', type('bool'), ['true', 't'], { kind: 'boolean', yes: 'true', no: 'false' }],
    ['False', type('bool'), ['False', 'f'], { kind: 'boolean', yes: 'True', no: 'False' }],
    ['f', type('bool'), ['f', 'f'], { kind: 'plain' }],
    [
      'a scale',
      type('numeric', { declared: 'numeric(10,2)' }),
      ['1.5', '1.50'],
      { kind: 'trimmed', of: 'number' },
    ],
    [
      'a whole number of a scale',
      type('numeric', { declared: 'numeric(10,2)' }),
      ['100', '100.00'],
      { kind: 'trimmed', of: 'number' },
    ],
    [
      'zeros behind a float',
      type('float8'),
      ['12.50', '12.5'],
      { kind: 'padded', of: 'float8', digits: 2 },
    ],
    [
      'zeros behind a whole float',
      type('float4'),
      ['7.0', '7'],
      { kind: 'padded', of: 'float4', digits: 1 },
    ],
    ['a float with all of its digits', type('float8'), ['12.25', '12.25'], { kind: 'plain' }],
    ['a float with an exponent', type('float8'), ['1e-05', '1e-05'], { kind: 'plain' }],
    ['no scale', type('numeric'), ['1.5', '1.50'], { kind: 'plain' }],
    ['char', type('bpchar'), ['a', 'a  '], { kind: 'trimmed', of: 'text' }],
    [
      'ISO 8601',
      type('timestamptz'),
      ['2024-01-01T00:00:00Z', '2024-01-01 00:00:00+00'],
      { kind: 'timestamp', separator: 'T', zone: 'Z', digits: null },
    ],
    [
      'milliseconds',
      type('timestamptz'),
      ['2024-01-01T00:00:00.120Z', '2024-01-01 00:00:00.12+00'],
      { kind: 'timestamp', separator: 'T', zone: 'Z', digits: 3 },
    ],
    [
      'minutes of the zone',
      type('timestamptz'),
      ['2024-01-01 00:00:00+00:00', '2024-01-01 00:00:00+00'],
      { kind: 'timestamp', separator: ' ', zone: '+00:00', digits: null },
    ],
    [
      'no zone',
      type('timestamp'),
      ['2024-01-01T00:00:00', '2024-01-01 00:00:00'],
      { kind: 'timestamp', separator: 'T', zone: null, digits: null },
    ],
  ])('is that of the files: %s', (_, of, [file, table], form) => {
    const pairs = [
      { file: { text: file, quoted: false }, table },
      { file: { text: null, quoted: false }, table: null },
    ];
    const chosen = chooseForm('c', of, pairs, DIALECT);
    expect(chosen).toEqual({ name: 'c', form, quoted: false });
    const equal = pairs.map((pair) => isWritten(pair, chosen, DIALECT));
    // A number without a scale is not read back as the same one.
    expect(equal).toEqual([_ !== 'no scale', true]);
  });

  it('is that of most values', () => {
    const pairs = ['true', 'true', 't'].map((text) => ({
      file: { text, quoted: false },
      table: 't',
    }));
    expect(chooseForm('c', type('bool'), pairs, DIALECT).form).toMatchObject({ yes: 'true' });
  });
});

describe('quotes', () => {
  const pair = (text: string, quoted: boolean) => ({ file: { text, quoted }, table: text });

  it('are around all values where most have them without need', () => {
    const pairs = [pair('a', true), pair('b', true), pair('c', false)];
    const chosen = chooseForm('c', type('text'), pairs, DIALECT);
    expect(chosen.quoted).toBe(true);
    expect(pairs.map((one) => isWritten(one, chosen, DIALECT))).toEqual([true, true, false]);
  });

  it('are where they are needed', () => {
    const pairs = [pair('a,b', true), pair('', true), pair('c', false)];
    const chosen = chooseForm('c', type('text'), pairs, DIALECT);
    expect(chosen.quoted).toBe(false);
    expect(pairs.map((one) => isWritten(one, chosen, DIALECT))).toEqual([true, true, true]);
    expect(isWritten(pair('c', true), chosen, DIALECT)).toBe(false);
  });
});
