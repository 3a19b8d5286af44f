import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../../src/errors.ts';
import { openCsvBytes } from '../../../../src/source/csv/csv-bytes.ts';
import { openCsvPart } from '../../../../src/source/csv/csv-part.ts';
import { canBeSplit, findParts, type CsvPart } from '../../../../src/source/csv/find-parts.ts';
import type { CsvDescription, SourceFile } from '../../../../src/source/source-file.ts';
import { csv } from '../../plan/fixtures.ts';
import { temporaryFolder, textOf, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();

describe('parts of a CSV file', () => {
  it('hold every record once, whole and in order, wherever the cuts are', async () => {
    await fc.assert(
      fc.asyncProperty(randomText, fc.array(fc.nat(), { maxLength: 6 }), async (text, drawn) => {
        const file = writeSource(folder, 'property.csv', text.content);
        const description = described(text);
        const whole = await wholeOf(file, description);
        const cuts = cutsIn(file, drawn);
        const found = await partsOf(file, description, cuts).catch((error: unknown) => error);
        if (whole instanceof EtlError) {
          expect(found).toMatchObject({ record: whole.record });
          return;
        }
        const { parts, records, contentHash } = found as FoundFile;
        expect(records).toBe(whole.records);
        expect(contentHash).toBe(createHash('sha256').update(text.content).digest('hex'));
        expectPlaces(parts, file, cuts, naiveStarts(text));
        if (!text.mixed) expect(await textOfParts(file, description, parts)).toBe(whole.text);
      }),
      { numRuns: 600 },
    );
  });

  it.each([
    ['a quote that never closes', 'id,v\n1,a\n2,b\n3,"c\n4,d\n5,e\n'],
    ['a quote that swallows a line end', 'id,v\n1,a\n2,b\n3,c"c\n4,d\n5,e\n'],
    ['text behind quotes of several lines', 'id,v\n1,a\n2,b\n3,"c\n4"d\n5,e\n'],
  ])(
    'with %s, for whoever sifts: all from the last cut before it on is one part',
    async (_, content) => {
      const file = writeSource(folder, 'torn.csv', content);
      const { parts, records, contentHash } = await partsOf(
        file,
        csv(['id', 'v']),
        [6, 14, 20],
        true,
      );
      expect(parts.map(({ from, to, records: own }) => [from, to, own])).toEqual([
        [5, 9, 1],
        [9, content.length, null],
        [content.length, content.length, 0],
        [content.length, content.length, 0],
      ]);
      expect(parts[1]?.verbatim).toBe(false);
      expect([records, contentHash]).toEqual([
        null,
        createHash('sha256').update(content).digest('hex'),
      ]);
    },
  );

  it.each([
    ['between CR and LF', 'id,v\r\n1,a\r\n2,b\r\n', [10], [11], [1, 2]],
    ['behind a line end', 'id,v\n1,a\n2,b\n', [9], [9], [1, 2]],
    ['inside quotes that hold lines', 'id,v\n1,"a\n9,x\n9,y\n"\n2,bbbbbbbb\n', [11], [20], [1, 2]],
    ['inside the header', 'id,v\n1,a\n', [2], [5], [1, 1]],
    ['behind the last record', 'id,v\n1,a', [7], [8], [1, 2]],
    ['several in one record', `id,v\n1,${'x'.repeat(60)}\n2,b\n`, [9, 20, 40], [72, 72, 72], null],
    ['in a file without records', 'id,v', [2], [4], [1, 1]],
    ['in empty lines', 'id,v\n1,a\n\n\n\n2,b\n', [10], [10], [1, 2]],
  ])('begin where records begin: a cut %s', async (_, content, cuts, ends, firsts) => {
    const file = writeSource(folder, 'case.csv', content);
    const { parts } = await partsOf(file, csv(['id', 'v']), cuts);
    expect(parts.slice(0, -1).map((part) => part.to)).toEqual(ends);
    if (firsts !== null) expect(parts.map((part) => part.firstRecord)).toEqual(firsts);
    expect(parts.at(-1)?.to).toBe(file.bytes);
  });

  it('are told while the rest of the file is still to be read', async () => {
    const line = `1,${'x'.repeat(97)}\n`;
    const file = writeSource(folder, 'long.csv', `id,v\n${line.repeat(40_000)}"never closed\n`);
    const found = findParts(file, csv(['id', 'v']), [1_000_000, 3_000_000]);
    expect(await found.next()).toMatchObject({ value: { from: 5, records: 10_000 } });
    expect(await found.next()).toMatchObject({ value: { firstRecord: 10_001 } });
    await expect(found.next()).rejects.toMatchObject({
      record: { code: 'ETL_CSV_MALFORMED', facts: { line: 40_002 } },
    });
  });

  it('are refused where the file is another by then, or its lines end in another way', async () => {
    const file = writeSource(folder, 'changed.csv', 'id,v\n1,a\n2,b\n3,c');
    const description = csv(['id', 'v']);
    const { parts } = await partsOf(file, description, [8]);
    writeSource(folder, 'changed.csv', 'id,v\n1,a\n2,bb3,c');
    const [, second] = parts as [CsvPart, CsvPart];
    const read = (part: CsvPart) => textOf(openCsvPart(file, description, part).chunks);
    await expect(read(second)).rejects.toMatchObject({ record: { code: 'ETL_FILE_CHANGED' } });
    writeSource(folder, 'changed.csv', 'id,v\n1,a\n2,b');
    await expect(read(second)).rejects.toMatchObject({ record: { code: 'ETL_FILE_CHANGED' } });

    const mixed = writeSource(folder, 'mixed.csv', 'id,v\n1,a\n2,b\r\n3,c\r\n');
    const halves = await partsOf(mixed, description, [9]);
    const last = halves.parts[1] as CsvPart;
    await expect(textOf(openCsvPart(mixed, description, last).chunks)).rejects.toMatchObject({
      record: { code: 'ETL_CSV_MALFORMED', sentence: expect.stringContaining('CR LF') as string },
    });
  });

  it.each([
    ['utf8', true],
    ['latin1', true],
    ['win1252', true],
    ['euckr', true],
    ['sjis', false],
    ['big5', false],
    ['gbk', false],
    ['gb18030', false],
    ['utf16le', false],
  ])('are there for %s: %s', (encoding, expected) => {
    const { dialect } = csv(['id']);
    const description = csv(['id'], { dialect: { ...dialect, encoding } });
    expect(canBeSplit({ compression: 'none' }, description)).toBe(expected);
    expect(canBeSplit({ compression: 'gzip' }, description)).toBe(false);
    expect(canBeSplit({ compression: 'none' }, { ...description, path: 'rows' })).toBe(false);
  });
});

interface RandomText {
  readonly content: string;
  readonly escape: string;
  /** Whether lines may end in several ways outside quotes, which COPY refuses. */
  readonly mixed: boolean;
}

const randomText: fc.Arbitrary<RandomText> = fc
  .record({
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    escape: fc.constantFrom('"', '\\'),
    noise: fc.boolean(),
    header: fc.constantFrom('id,v', '"i\nd",v', '\ufeffid,v'),
    lastLineEnd: fc.boolean(),
  })
  .chain(({ lineEnd, escape, noise, header, lastLineEnd }) => {
    const inside = fc.array(
      fc.constantFrom('a', ',', '\n', '\r', '\r\n', `${escape}"`, '1,x\n', 'é漢', '\\.'),
      { maxLength: 6 },
    );
    const field = fc.oneof(
      fc.constantFrom('', '1', 'abc', '漢字', '\\.', '5" by 6"', 'x'.repeat(90)),
      inside.map((parts) => `"${parts.join('')}"`),
    );
    const record = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(field, field).map((fields) => fields.join(',')) },
      { weight: 1, arbitrary: fc.constantFrom('', '\\.') },
      ...(noise ? [{ weight: 1, arbitrary: fc.constantFrom('"', 'a"b', 'a\nb', 'a\rb') }] : []),
    );
    return fc.array(record, { maxLength: 12 }).map((records) => ({
      content: [header, ...records].join(lineEnd) + (lastLineEnd ? lineEnd : ''),
      escape,
      mixed: noise,
    }));
  });

function described({ escape }: RandomText): CsvDescription {
  const { dialect } = csv([]);
  return csv(['id', 'v'], { dialect: { ...dialect, escape } });
}

function cutsIn(file: SourceFile, drawn: readonly number[]): number[] {
  return drawn.map((number) => number % (file.bytes + 1)).sort((a, b) => a - b);
}

interface FoundFile {
  readonly parts: readonly CsvPart[];
  readonly records: number | null;
  readonly contentHash: string;
}

async function partsOf(
  file: SourceFile,
  description: CsvDescription,
  cuts: readonly number[],
  sifts = false,
): Promise<FoundFile> {
  const found = findParts(file, description, cuts, undefined, sifts);
  const parts: CsvPart[] = [];
  for (;;) {
    const next = await found.next();
    if (next.done === true) return { parts, ...next.value };
    parts.push(next.value);
  }
}

async function wholeOf(
  file: SourceFile,
  description: CsvDescription,
): Promise<{ text: string; records: number } | EtlError> {
  const stream = openCsvBytes(file, description);
  try {
    const text = await textOf(stream.chunks);
    return { text: withoutLastLineEnd(text), records: stream.totals().records };
  } catch (error) {
    if (error instanceof EtlError) return error;
    throw error;
  }
}

async function textOfParts(
  file: SourceFile,
  description: CsvDescription,
  parts: readonly CsvPart[],
): Promise<string> {
  let text = '';
  for (const part of parts) {
    const stream = openCsvPart(file, description, part);
    text += await textOf(stream.chunks);
    expect(stream.totals()).toEqual({ records: part.records, contentHash: null });
  }
  return withoutLastLineEnd(text);
}

/** The last record of all may get another line end when it is the only one of its part. */
function withoutLastLineEnd(text: string): string {
  return text.replace(/(?:\r\n|\n|\r)$/, '');
}

function expectPlaces(
  parts: readonly CsvPart[],
  file: SourceFile,
  cuts: readonly number[],
  starts: readonly number[],
): void {
  expect(parts).toHaveLength(cuts.length + 1);
  let { from } = parts[0] as CsvPart;
  let record = 1;
  for (const [index, part] of parts.entries()) {
    expect(part).toMatchObject({ from, firstRecord: record });
    expect(part.to).toBeGreaterThanOrEqual(cuts[index] ?? file.bytes);
    expect([...starts, file.bytes]).toContain(part.to);
    from = part.to;
    record += part.records ?? NaN;
  }
  expect(from).toBe(file.bytes);
}

/** Offsets at which records (or empty lines) begin, found in the slowest and simplest way. */
function naiveStarts({ content, escape, mixed }: RandomText): number[] {
  const bytes = Buffer.from(content);
  const starts: number[] = [];
  let inQuotes = false;
  for (let at = 0; at < bytes.length; at++) {
    const character = String.fromCharCode(bytes[at] as number);
    if (inQuotes && escape === '\\' && character === '\\') at++;
    else if (character === '"') inQuotes = !inQuotes;
    else if (inQuotes || (character !== '\n' && character !== '\r')) continue;
    // No record begins between CR and LF, but where a lone CR has ended the first record.
    else if (mixed || character === '\n' || bytes[at + 1] !== 10) starts.push(at + 1);
  }
  return starts;
}
