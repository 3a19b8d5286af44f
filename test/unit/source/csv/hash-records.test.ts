import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecordHashes } from '../../../../src/source/csv/hash-records.ts';
import type { KeyField, KeySpelling } from '../../../../src/source/csv/hash-keys.ts';
import { PLAIN_DIALECT } from '../../../../src/source/csv/plain-dialect.ts';

const DIALECT = PLAIN_DIALECT;
const SEED = Uint32Array.of(1, 2, 3, 4);
const INTEGER: readonly KeyField[] = [{ place: 0, spelling: 'integer' }];

describe('hashes of records', () => {
  it('tell records apart by their bytes, whatever the chunks', () => {
    const field = fc.oneof(
      fc.string({ maxLength: 20 }).filter((text) => !/[",\r\n]/.test(text)),
      fc
        .string({ unit: fc.constantFrom('a', ',', '\n', '""', 'é'), maxLength: 6 })
        .map((text) => `"${text}"`),
    );
    const record = fc
      .array(field, { minLength: 2, maxLength: 4 })
      .map((fields) => fields.join(','));
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 9 }),
        (records, lineEnd, size) => {
          const bytes = Buffer.from(records.map((one) => one + lineEnd).join(''));
          const whole = hashesOf(bytes, bytes.length + 1);
          expect(hashesOf(bytes, size)).toEqual(whole);
          expect(whole.map(({ lanes }) => lanes)).toHaveLength(records.length);
          const known = new Map(whole.map(({ lanes }, place) => [lanes, records[place]]));
          whole.forEach(({ lanes }, place) => expect(known.get(lanes)).toBe(records[place]));
          expect(known.size).toBe(new Set(records).size);
        },
      ),
    );
  });

  it('do not depend on CR LF, but on one line end for all', () => {
    const [unix] = hashesOf(Buffer.from('1,a\n'));
    const [dos, mixed] = hashesOf(Buffer.from('1,a\r\n1,a\n'));
    expect(dos?.lanes).toBe(unix?.lanes);
    expect(mixed?.lanes).toBe('0,0,0,0');
    expect(hashesOf(Buffer.from('2,a\n1,a\r\n'))[1]?.lanes).toBe('0,0,0,0');
  });

  it('follow the escape of the dialect', () => {
    const dialect = { ...DIALECT, escape: '\\' };
    const bytes = Buffer.from('"a\\"\n",1\n"b\\\\",2\nc,3\n');
    expect(hashesOf(bytes, 5, [], dialect)).toHaveLength(3);
  });

  it('end in each byte of a record', () => {
    const texts = Array.from({ length: 40 }, (_, length) => 'x'.repeat(length));
    const lanes = texts.map((text) => hashesOf(Buffer.from(`1,${text}\n`))[0]?.lanes);
    const zeros = texts.map((text) => hashesOf(Buffer.from(`1,x${text}\0\n`))[0]?.lanes);
    expect(new Set([...lanes, ...zeros]).size).toBe(80);
  });
});

describe('hashes of keys', () => {
  it('are those of the values, with quotes or without', () => {
    const [bare, inQuotes, other] = hashesOf(Buffer.from('5,a\n"5",b\n50,a\n'), 99, INTEGER);
    expect(inQuotes?.key).toBe(bare?.key);
    expect(inQuotes?.plain).toBe(true);
    expect(other?.key).not.toBe(bare?.key);
  });

  it('keep fields apart', () => {
    const fields: KeyField[] = [
      { place: 0, spelling: 'text' },
      { place: 1, spelling: 'text' },
    ];
    const keys = hashesOf(Buffer.from('ab,c\na,bc\n'), 99, fields).map(({ key }) => key);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it.each<[KeySpelling, string, boolean]>([
    ['integer', '0', true],
    ['integer', '-12', true],
    ['integer', '"12"', true],
    ['integer', '012', false],
    ['integer', '+12', false],
    ['integer', '-0', false],
    ['integer', ' 12', false],
    ['integer', '1e3', false],
    ['integer', '-', false],
    ['integer', '', false],
    ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true],
    ['uuid', 'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11', false],
    ['uuid', 'a0eebc999c0b4ef8bb6d6bb9bd380a11', false],
    ['date', '2024-01-31', true],
    ['date', '20240131', false],
    ['text', ' any thing', true],
    ['text', '"with, a comma"', true],
    ['text', '"say ""hi"""', false],
    ['text', 'a"b"', false],
    ['text', '""', false],
    ['opaque', '1', false],
  ])('%s %s: one spelling %s', (spelling, text, plain) => {
    const bytes = Buffer.from(`${text},x\n`);
    expect(hashesOf(bytes, 99, [{ place: 0, spelling }])[0]?.plain).toBe(plain);
  });

  it('are not sure of a text that may be NULL', () => {
    const fields: KeyField[] = [{ place: 0, spelling: 'text' }];
    const dialect = { ...DIALECT, null: 'NULL' };
    expect(hashesOf(Buffer.from('"NULL",x\n'), 99, fields, dialect)[0]?.plain).toBe(false);
  });

  it('give the range of integers, of any other nothing', () => {
    expect(rangeOf('7,a\n-3,b\n"12",c\n')).toEqual({ min: -3, max: 12 });
    expect(rangeOf('7,a\n9007199254740993,b\n')).toBeNull();
    expect(rangeOf('')).toBeNull();
  });
});

interface Hashed {
  readonly lanes: string;
  readonly key: string;
  readonly plain: boolean;
}

function hashesOf(
  bytes: Buffer,
  size = bytes.length + 1,
  fields: readonly KeyField[] = [],
  dialect = DIALECT,
): Hashed[] {
  const hashes = createRecordHashes(dialect, fields, SEED);
  const hashed: Hashed[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const { count, lanes, keys, plain } = hashes.push(bytes.subarray(at, at + size));
    for (let one = 0; one < count; one++) {
      const four = [...lanes.subarray(one * 4, one * 4 + 4)].join(',');
      const two = [...keys.subarray(one * 2, one * 2 + 2)].join(',');
      hashed.push({ lanes: four, key: two, plain: plain[one] === 1 });
    }
  }
  expect(hashes.open()).toBe(0);
  return hashed;
}

function rangeOf(text: string): { min: number; max: number } | null {
  const hashes = createRecordHashes(DIALECT, INTEGER, SEED);
  hashes.push(Buffer.from(text));
  return hashes.range();
}
