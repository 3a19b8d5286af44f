import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blocksOf, type CsvBlock } from '../../../../src/source/csv/csv-blocks.ts';
import { cutRecords, type RecordCutter } from '../../../../src/source/csv/cut-records.ts';
import { startScan } from '../../../../src/source/csv/scan-state.ts';
import type { CsvDescription, SourceFile } from '../../../../src/source/source-file.ts';
import { PLAIN_DIALECT } from '../../../../src/source/csv/plain-dialect.ts';

/** A file in blocks is the same records as without, and the same are bad. */
const dialect = PLAIN_DIALECT;
const description = { dialect, columns: ['a', 'b'] } as unknown as CsvDescription;
const file = { name: 'a.csv' } as SourceFile;

async function* inChunks(text: string, bytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.from(text);
  for (let at = 0; at < buffer.length; at += bytes) yield buffer.subarray(at, at + bytes);
}

interface Cut {
  readonly record: number;
  readonly text: string;
  readonly problem: string | null;
}

async function cutsOf(cutter: RecordCutter, before = 0): Promise<Cut[]> {
  const cuts: Cut[] = [];
  for (let batch = await cutter.next(4); batch !== null; batch = await cutter.next(4)) {
    const { first, bytes, ends, problem } = batch;
    ends.forEach((end, at) => {
      const text = bytes.toString('utf8', at === 0 ? 0 : ends[at - 1], end);
      cuts.push({ record: before + first + at, text, problem });
    });
  }
  return cuts;
}

interface Read {
  readonly block: Omit<CsvBlock, 'records'>;
  readonly sent: string;
  readonly cuts: readonly Cut[];
}

async function read(text: string, chunk: number, blockBytes: number): Promise<Read[]> {
  const state = startScan(dialect, 2, 10_000, true);
  const blocking = { file, description, state, blockBytes };
  const blocks: Read[] = [];
  for await (const block of blocksOf(blocking, inChunks(text, chunk))) {
    const sent = Buffer.concat(block.pieces).toString();
    blocks.push({ block, sent, cuts: await cutsOf(block.records(), block.first - 1) });
  }
  return blocks;
}

const PIECES = ['a,b\n', 'c,"d"\n', '"e\nf",g\n', '5" x",h\n', '\n', 'i\n', 'j,k,l\n'];
const BAD = ['"open,1\n', 'in"side,2\n', 'x,y\r\n', 'z,\u0001\n', '"m\nn"o,p\n'];

test('are the records of the file, and those that COPY must not see are never sent', async () => {
  const texts = fc.tuple(
    fc.array(fc.constantFrom(...PIECES, ...BAD), { maxLength: 30 }),
    fc.constantFrom('', 'q,r'),
  );
  const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 }));
  const property = fc.asyncProperty(texts, sizes, async ([lines, end], [chunk, blockBytes]) => {
    const text = lines.join('') + end;
    const whole = await cutsOf(cutRecords(inChunks(text, chunk), description));
    const blocks = await read(text, chunk, blockBytes);
    expect(blocks.flatMap(({ cuts }) => cuts)).toEqual(whole);
    for (const { block, sent, cuts } of blocks) {
      if (block.count === null) continue;
      expect(cuts).toHaveLength(block.count);
      // A line end of another kind than the others of its block is what COPY itself refuses.
      if (cuts.every(({ problem }) => problem === null)) {
        expect(sent).toBe(cuts.map(({ text: each }) => each).join(''));
      }
      const kinds = new Set(cuts.map((cut) => cut.text.endsWith('\r\n')));
      expect(kinds.size === 2 || cuts.every(({ problem }) => problem === null)).toBe(true);
    }
  });
  await fc.assert(property, { numRuns: 1_000 });
});

test('end behind the chunk that fills them, at the end of a record', async () => {
  const blocks = await read('a,b\n'.repeat(10), 6, 12);
  expect(blocks.map(({ block }) => [block.first, block.count])).toEqual([
    [1, 3],
    [4, 3],
    [7, 3],
    [10, 1],
  ]);
});

test('of which one with the line ends of another file is cut', async () => {
  const blocks = await read('a,b\nc,d\ne,f\r\ng,h\r\n', 8, 8);
  expect(blocks.map(({ block }) => block.count)).toEqual([2, null, null]);
});

test('give up where a record is longer than one can hold', async () => {
  const state = startScan(dialect, 2, 1_000, true);
  const chunks = inChunks(`a,${'x'.repeat(2_000)}\n`, 300);
  const blocks = blocksOf({ file, description, state, blockBytes: 100 }, chunks);
  await expect(blocks.next()).rejects.toMatchObject({ record: { code: 'ETL_LIMIT' } });
});
