import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keepRecords } from '../../../../src/source/csv/keep-records.ts';
import { createKeyScan } from '../../../../src/source/csv/scan-keys.ts';
import type { CsvDialect } from '../../../../src/source/source-file.ts';

const dialect: CsvDialect = {
  delimiter: ',',
  quote: '"',
  escape: '"',
  null: '',
  encoding: 'utf8',
  header: true,
  skipLines: 0,
  comment: null,
  trim: false,
};
const seedOfBytes = 0x5a;
const seed = Uint32Array.of(1, 2, 3, (seedOfBytes << 24) | 4);

/** Fields as they are spelled in the file, quotes included. */
const field = fc.constantFrom(
  ...['', 'a', 'b', 'ab', '"a"', '"x,y"', '"li\nne"', '"q""q"', 'ä', '1', 'fifteen letters'],
  ...['sixteen letters.', 'seventeen letters', '"a key, of two\nlines and more than a block"'],
);
/** What makes a chunk free of quotes. */
const plainField = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'sixteen letters.',
  'thirty-two letters are two blocks',
);
const row = fc.oneof(fc.tuple(field, field, field), fc.tuple(plainField, plainField, plainField));
const table = fc.array(row, { minLength: 1, maxLength: 30 });

describe('scan keys', () => {
  it('gives equal hashes to equal spellings only, whatever the chunks', () => {
    const places = fc.constantFrom([0], [1], [2], [0, 2], [2, 1]);
    fc.assert(
      fc.property(table, places, fc.integer({ min: 1, max: 40 }), (rows, key, size) => {
        const lanes = scan(rows, key, size);
        expect(lanes).toHaveLength(rows.length);
        const spelled = rows.map((row) => key.map((place) => row[place]).join('\u0000'));
        const empty = rows.map((row) => key.some((place) => row[place] === ''));
        for (const [i, left] of lanes.entries()) {
          expect(left === '0,0,0,0').toBe(empty[i]);
          for (const [j, right] of lanes.entries()) {
            if (empty[i] === true || empty[j] === true) continue;
            expect(left === right).toBe(spelled[i] === spelled[j]);
          }
        }
      }),
    );
  });

  it('ends fields where a dialect with an escape of its own ends them', () => {
    const spelledBy = { ...dialect, escape: '\\' };
    const escaped = fc.constantFrom('a', '"a\\",b"', '"a\\\\"', '"li\\"\nne"', 'b\\');
    const rows = fc.array(fc.tuple(escaped, escaped, escaped), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 40 }), (all, size) => {
        const lanes = scan(all, [1], size, seed, spelledBy);
        const alone = all.map(([, key]) => scan([['', key, '']], [1], 99, seed, spelledBy));
        expect(lanes).toEqual(alone.flat());
        expect(new Set(lanes).size).toBe(new Set(all.map(([, key]) => key)).size);
      }),
    );
  });

  it('tells apart keys whose fields join to the same bytes', () => {
    const [first, second] = scan(
      [
        ['ab', 'c', ''],
        ['a', 'bc', ''],
      ] as Row[],
      [0, 1],
      99,
    );
    expect(first).not.toBe(second);
  });

  it('agrees on a key whatever the order of the columns, and tells its parts apart', () => {
    const here = scan([['a', 'b', 'x']], [0, 1], 99);
    expect(scan([['b', 'x', 'a']], [2, 0], 99)).toEqual(here);
    expect(scan([['a', 'b', 'x']], [1, 0], 99)).not.toEqual(here);
    expect(scan([['a', 'a', 'x']], [0, 1], 99)).not.toEqual(['0,0,0,0']);
  });

  it('tells short keys apart by their bytes, and from every hash of a longer key', () => {
    const short = ['a', 'a\u0001', 'a\u0000', '\u0000a', 'aa', 'aaaaaaaaaaaaaaa'];
    const long = ['aaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaa\u0001', 'aaaaaaaaaaaaaaaa\u0000'];
    const rows = [...short, ...long].map((key): Row => [key, 'x', 'y']);
    expect(new Set(scan(rows, [0], 7))).toHaveProperty('size', rows.length);
    const lastBytes = scan(rows, [0], 99).map((key) => Number(key.split(',')[3]) >>> 24);
    expect(lastBytes.map((byte) => byte ^ seedOfBytes)).toEqual([1, 2, 2, 2, 2, 15, 255, 255, 255]);
  });

  it('spreads: no two of 100,000 long keys share a hash, nor the upper or lower half of one', () => {
    const rows = Array.from({ length: 100_000 }, (_, row) => `customer number ${row},x\n`).join('');
    const keyScan = createKeyScan(dialect, [0], seed);
    keyScan.push(Buffer.from(rows));
    const halves = [new Set<string>(), new Set<string>()];
    const lanes = keyScan.end();
    for (let at = 0; at < lanes.length; at += 2) {
      halves[(at / 2) % 2]?.add(`${lanes[at]} ${lanes[at + 1]}`);
    }
    expect(halves.map((half) => half.size)).toEqual([100_000, 100_000]);
  });

  it('hashes long keys otherwise with another seed', () => {
    const rows: Row[] = [['customer number 17', 'x', 'y']];
    expect(scan(rows, [0], 99, Uint32Array.of(1, 2, 3, 5))).not.toEqual(scan(rows, [0], 99));
  });
});

describe('keep records', () => {
  it('passes on the records to keep, byte for byte, whatever the chunks', async () => {
    const cases = table.chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc.array(fc.boolean(), { minLength: rows.length, maxLength: rows.length }),
        fc.integer({ min: 1, max: 40 }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([rows, keeps, size]) => {
        const keep = Uint8Array.from(keeps, Number);
        const kept: Buffer[] = [];
        const chunks = keepRecords(stream(textOf(rows), size), dialect, keep);
        for await (const chunk of chunks) kept.push(chunk);
        const expected = textOf(rows.filter((_, row) => keeps[row]));
        expect(Buffer.concat(kept).toString()).toBe(expected);
        const records: unknown[] = parse(expected, { relax_column_count: true });
        expect(records).toHaveLength(keeps.filter(Boolean).length);
      }),
    );
  });
});

type Row = [string, string, string];

function scan(
  rows: readonly Row[],
  key: readonly number[],
  size: number,
  keyedBy = seed,
  spelledBy = dialect,
): string[] {
  const keyScan = createKeyScan(spelledBy, key, keyedBy);
  const bytes = Buffer.from(textOf(rows));
  for (let at = 0; at < bytes.length; at += size) keyScan.push(bytes.subarray(at, at + size));
  const lanes = keyScan.end();
  return rows.map((_, row) => lanes.slice(row * 4, row * 4 + 4).join(','));
}

function textOf(rows: readonly Row[]): string {
  return rows.map((row) => `${row.join(',')}\n`).join('');
}

async function* stream(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
