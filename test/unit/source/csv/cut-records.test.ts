import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutRecords, type CutBatch } from '../../../../src/source/csv/cut-records.ts';
import { finishScan, scanChunk } from '../../../../src/source/csv/scan-records.ts';
import { startScan } from '../../../../src/source/csv/scan-state.ts';
import { PLAIN_DIALECT } from '../../../../src/source/csv/plain-dialect.ts';
import type { CsvDialect } from '../../../../src/source/source-file.ts';

const dialect = PLAIN_DIALECT;

/** Chunks of so many bytes each. */
async function* inChunks(text: string, bytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.from(text);
  for (let at = 0; at < buffer.length; at += bytes) yield buffer.subarray(at, at + bytes);
}

interface CutOptions {
  readonly columns?: number;
  readonly chunk?: number;
  readonly max?: number;
  readonly recordBytesMax?: number;
  readonly dialect?: Partial<CsvDialect>;
}

async function cut(text: string, options: CutOptions = {}): Promise<CutBatch[]> {
  const { columns = 2, chunk = 7, max = 3, recordBytesMax = 1_000 } = options;
  const names = Array.from({ length: columns }, (_, at) => `c${at}`);
  const description = { dialect: { ...dialect, ...options.dialect }, columns: names };
  const cutter = cutRecords(inChunks(text, chunk), description, { recordBytesMax });
  const batches: CutBatch[] = [];
  for (let batch = await cutter.next(max); batch !== null; batch = await cutter.next(max)) {
    batches.push(batch);
  }
  return batches;
}

/** Each record as COPY gets it, or what is wrong with it. */
function recordsOf(batches: readonly CutBatch[]): string[] {
  return batches.flatMap(({ bytes, ends, problem }) =>
    problem !== null
      ? [`${JSON.stringify(bytes.toString())}: ${problem}`]
      : ends.map((end, at) => bytes.toString('utf8', at === 0 ? 0 : ends[at - 1], end)),
  );
}

const OPEN = 'a quote opens in it and does not close';
const STRAY = 'a quote in the middle of a field swallows the end of the line';
const LINE_END = 'it has a line end outside quotes that is not the line end of the file';

describe('records', () => {
  test.each<[what: string, text: string, records: string[], options?: CutOptions]>([
    ['with fields of several lines', 'a,"b\nc"\nd,e\n', ['a,"b\nc"\n', 'd,e\n']],
    ['of which the last lacks its line end', 'a,b\nc,d', ['a,b\n', 'c,d\n']],
    ['with CR LF, the last without', 'a,b\r\nc,d', ['a,b\r\n', 'c,d\r\n']],
    ['with CR', 'a,"b\nc"\rd,e\r', ['a,"b\nc"\r', 'd,e\r']],
    ['without empty lines', '\n\na,b\n\nc,d\n\n', ['a,b\n', 'c,d\n']],
    ['with empty lines of one column', 'a\n\nb\n', ['a\n', '\n', 'b\n'], { columns: 1 }],
    ['that would end COPY', 'a\n\\.\nb\n', ['a\n', '"\\."\n', 'b\n'], { columns: 1 }],
    ['with doubled quotes', 'a,"b""\nc"\nd,e\n', ['a,"b""\nc"\n', 'd,e\n']],
    ['with a quote in the middle', 'a,5" pipe"\nc,d\n', ['a,5" pipe"\n', 'c,d\n']],
    [
      'with quotes that are escaped',
      'a,"b\\"\nc"\n',
      ['a,"b\\"\nc"\n'],
      { dialect: { escape: '\\' } },
    ],
    [
      'without quotes',
      'a,"b\nc,d\n',
      ['a,"b\n', 'c,d\n'],
      { dialect: { quote: null, escape: null } },
    ],
    [
      'with a quote that never closes',
      'a,"b\nc,d\ne,f',
      [`"a,\\"b\\n": ${OPEN}`, 'c,d\n', 'e,f\n'],
    ],
    [
      'with a quote that opens on the first line, and ends before the line end of a value',
      '"a\nb,"c\r\nd"\ne,f\n',
      [`"\\"a\\n": ${OPEN}`, 'b,"c\r\nd"\n', 'e,f\n'],
    ],
    ['with a quote that opens on the last line', 'a,b\nc,"d', ['a,b\n', `"c,\\"d": ${OPEN}`]],
    [
      'with a quote that a later one closes',
      'a,"b\nc,d\ne,"f"\n',
      [`"a,\\"b\\n": ${STRAY}`, 'c,d\n', 'e,"f"\n'],
    ],
    [
      'with text behind quotes',
      'a,"b\nc\nd,"e\n',
      [`"a,\\"b\\n": ${OPEN}`, 'c\n', `"d,\\"e\\n": ${OPEN}`],
      { columns: 3 },
    ],
    ['with text behind quotes, and fields enough', 'a,"b\nc"d\n', ['a,"b\nc"d\n']],
    ['with a quote that swallows a line end', 'a,b"c\nd,e\n', [`"a,b\\"c\\n": ${STRAY}`, 'd,e\n']],
    ['with another line end', 'a,b\nc,d\r\ne,f\n', ['a,b\n', `"c,d\\r\\n": ${LINE_END}`, 'e,f\n']],
    ['with LF for CR LF', 'a,b\r\nc,d\ne,f\r\n', ['a,b\r\n', `"c,d\\n": ${LINE_END}`, 'e,f\r\n']],
    [
      'that are too long',
      `a,b\n${'x'.repeat(40)}\nc,d\n`,
      ['a,b\n', expect.stringContaining('longer than 20 bytes') as string, 'c,d\n'],
      { recordBytesMax: 20 },
    ],
  ])('%s', async (_, text, records, options) => {
    for (const chunk of [1, 2, 3, 7, 1000]) {
      for (const max of [1, 2, 100]) {
        expect(recordsOf(await cut(text, { ...options, chunk, max }))).toEqual(records);
      }
    }
  });

  test('keep their place in the file', async () => {
    const text = 'a,"b\nb"\n\nc,"d\ne,f\n\\.\ng,h';
    for (const chunk of [1, 5, 1000]) {
      const batches = await cut(text, { chunk, max: 1 });
      expect(batches.map(({ first, offset, lines }) => [first, offset, lines])).toEqual([
        [1, 0, 0],
        [2, text.indexOf('c,'), 3],
        [3, text.indexOf('e,'), 4],
        [4, text.indexOf('\\.'), 5],
        [5, text.indexOf('g,'), 6],
      ]);
      expect(batches.map(({ raw }) => raw?.toString())).toEqual([
        ...[undefined, undefined, undefined],
        ...['\\.\n', 'g,h'],
      ]);
    }
  });
});

const piece = fc.constantFrom('a', '"', ',', '\n', '\r\n', '\\.', '""', '"x\ny"', '\r', 'bc');

test('of a file that the scanner reads to its end, as many in the same bytes', async () => {
  const property = fc.asyncProperty(
    fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 9 }),
    async (text, columns, chunk) => {
      const state = startScan(dialect, columns, 1_000, true);
      const sent: Buffer[] = [];
      try {
        for await (const bytes of inChunks(text, chunk)) sent.push(...scanChunk(state, bytes));
        sent.push(...finishScan(state));
      } catch {
        return;
      }
      const batches = await cut(text, { columns, chunk });
      // COPY refuses a line end that is not the file's: only the cutter sees it.
      if (batches.some(({ problem }) => problem !== null)) {
        expect(batches.every(({ problem }) => problem === null || problem === LINE_END)).toBe(true);
        return;
      }
      expect(recordsOf(batches)).toHaveLength(state.records);
      expect(recordsOf(batches).join('')).toBe(Buffer.concat(sent).toString());
    },
  );
  await fc.assert(property, { numRuns: 3_000 });
});

test('however the bytes are cut into chunks, the records are the same, and numbered', async () => {
  const property = fc.asyncProperty(
    fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    fc.integer({ min: 1, max: 9 }),
    async (text, chunk) => {
      const batches = await cut(text, { chunk });
      let record = 0;
      for (const { first, ends } of batches) {
        expect(first).toBe(record + 1);
        record += ends.length;
      }
      expect(recordsOf(batches)).toEqual(recordsOf(await cut(text, { chunk: 1000 })));
    },
  );
  await fc.assert(property, { numRuns: 2_000 });
});
