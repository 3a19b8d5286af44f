import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../../src/errors.ts';
import type { CsvOptions } from '../../../../src/job/schema.ts';
import { openCsvBytes } from '../../../../src/source/csv/csv-bytes.ts';
import { openCsvRows } from '../../../../src/source/csv/csv-rows.ts';
import { parseText } from '../../../../src/source/csv/parse-text.ts';
import type { CsvDescription, SourceFile } from '../../../../src/source/source-file.ts';
import { bytesOf, described, temporaryFolder, textOf, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();

async function problem(
  content: string | Buffer,
  options: Partial<CsvOptions> = {},
): Promise<EtlError> {
  const file = writeSource(folder, 'problem.csv', content);
  const description = await described(file, options);
  try {
    const stream =
      description.path === 'bytes'
        ? openCsvBytes(file, description)
        : openCsvRows(file, description, { subBatchSize: 10 });
    await bytesOf(stream.chunks);
  } catch (error) {
    if (error instanceof EtlError) return error;
    throw error;
  }
  throw new Error('There was no error.');
}

describe('openCsvBytes', () => {
  it('passes on the data and totals the file', async () => {
    const content = '\ufeffid,name\r\n1,"a\r\nb"\r\n2,c';
    const file = writeSource(folder, 'bytes.csv', content);
    const stream = openCsvBytes(file, await described(file));
    expect(await textOf(stream.chunks)).toBe('1,"a\r\nb"\r\n2,c\r\n');
    const totals = {
      records: 2,
      bytes: Buffer.byteLength(content),
      contentHash: createHash('sha256').update(content).digest('hex'),
      strayQuotes: 0,
    };
    expect(stream.totals()).toEqual(totals);
    expect(stream.totals()).toEqual(totals);
  });

  it('tells its progress in records and bytes on disk', async () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => `${index},x${index}\n`).join('');
    const content = gzipSync(`id,name\n${rows}`);
    const file = writeSource(folder, 'progress.csv.gz', content);
    const seen: [number, number][] = [];
    const onProgress = (records: number, bytes: number): void => void seen.push([records, bytes]);
    const stream = openCsvBytes(file, await described(file), { onProgress });
    expect(await textOf(stream.chunks)).toBe(rows);
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.at(-1)).toEqual([200_000, content.length]);
    expect(seen).toEqual([...seen].sort(([a], [b]) => a - b));
    expect(stream.totals()).toMatchObject({ records: 200_000, bytes: content.length });
  });

  it('may be left early, and aborted', async () => {
    const file = writeSource(folder, 'early.csv', `a\n${'1\n'.repeat(2_000_000)}`);
    const description = await described(file);
    for await (const chunk of openCsvBytes(file, description).chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    const aborter = new AbortController();
    const stream = openCsvBytes(file, description, { signal: aborter.signal });
    await expect(
      (async () => {
        for await (const chunk of stream.chunks) if (chunk.length > 0) aborter.abort();
      })(),
    ).rejects.toMatchObject({ code: 'ETL_ABORTED' });
  });

  it.each([
    ['id,name\n1,a\n2,"b\nc\n', 3, 'A quote opens here and never closes.'],
    [
      '\n\nid,"na\nme"\n1,"a\nb"\n2,5" pipe\n3,c"\n',
      7,
      'A quote in the middle of a field swallows',
    ],
    ['id,name\r\n"1","5" x"\r\n"2","6" y"\r\n', 2, 'A quote in the middle of a field swallows'],
    ['id\r1\r"2\r3', 3, 'A quote opens here and never closes.'],
  ])('names the line of a quote that goes astray: %j', async (content, line, sentence) => {
    const { record } = await problem(content);
    expect(record.code).toBe('ETL_CSV_MALFORMED');
    expect(record.facts).toMatchObject({ file: 'problem.csv', line });
    expect(record.sentence).toContain(sentence);
  });

  it('counts quotes that COPY drops', async () => {
    const file = writeSource(folder, 'stray.csv', 'id,name\n1,5" by 6"\n2,"a"\n3,b"c"d"e"\n');
    const stream = openCsvBytes(file, await described(file));
    await bytesOf(stream.chunks);
    expect(stream.totals()).toMatchObject({ records: 3, strayQuotes: 3 });
  });

  it('without quotes refuses only the byte that stands for them', async () => {
    const { record } = await problem('a,b\n1,"\n2,\u0001\n', { quote: null });
    expect(record.facts.line).toBe(3);
    expect(record.sentence).toContain('control character 1');
  });
});

describe('openCsvRows', () => {
  async function rewritten(
    content: string | Buffer,
    options: Partial<CsvOptions>,
  ): Promise<string> {
    const file = writeSource(folder, 'rows.csv', content);
    const description = { ...(await described(file, options)), path: 'rows' } as const;
    return textOf(openCsvRows(file, description, { subBatchSize: 2 }).chunks);
  }

  it('writes commas, double quotes and LF, and quotes what needs it', async () => {
    const content = "a::b::c\r\n1::'x,y'::'it''s'\r\n\r\n2::\"::\r\n'\n'::\\::\\.\r\n";
    expect(await rewritten(content, { delimiter: '::', quote: "'" })).toBe(
      '1,"x,y",it\'s\n2,"""",\n"\n","\\","\\."\n',
    );
  });

  it.each([
    ['', 'a,b,c\n,"",x\n"",,"y"\n', ',"",x\n"",,y\n'],
    ['NULL', 'a,b,c\nNULL,"NULL",\n"","nothing",NULL\n', ',NULL,""\n"",nothing,\n'],
    ['"', 'a,b,c\n",\'"\',1\n', ',"""",1\n'],
  ])(
    'keeps NULL, spelled %j, apart from its spelling in quotes',
    async (spelled, content, sent) => {
      const quote = spelled === '"' ? "'" : '"';
      expect(await rewritten(content, { null: spelled, quote })).toBe(sent);
    },
  );

  it('finds quoted nulls past comments, white space, escapes and long delimiters', async () => {
    const content = '# "\n a ::b:: c\n\n#"" \n 1 :: "" ::\n"x\\"y:: ":: ::""\n ::z::  "" \n';
    expect(
      await rewritten(content, { comment: '#', trim: true, delimiter: '::', escape: '\\' }),
    ).toBe('1,"",\n"x""y:: ",,""\n,z,""\n');
  });

  it('reads one column: an empty line is NULL', async () => {
    expect(await rewritten('a\n\n""\nx\n', {})).toBe('\n""\nx\n');
  });

  it('decodes UTF-16, characters across chunks included', async () => {
    const rows = Array.from({ length: 40_000 }, (_, index) => `${index},𝄞漢"\n`).join('');
    const content = Buffer.from(`\ufeffid,name\n${rows}`, 'utf16le');
    const options = { encoding: 'utf16le', quote: null };
    expect(await rewritten(content, options)).toBe(rows.replaceAll('𝄞漢"', '"𝄞漢"""'));
  });

  it.each([
    ['a,b\n# x\n1,2\n3\n', 4, 'Record 2 does not fit: it has 1 field, the header has 2.'],
    ['a,b\n1,"2\n3"\n\n4,5,6\n', 5, 'Record 2 does not fit: it has 3 fields, the header has 2.'],
    ['a,b\n1,2\n3,x"y\n', 3, 'a quote stands in the middle of an unquoted field'],
    ['a,b\n1,2\n3,"x"y\n', 3, 'a closing quote is followed by neither'],
    ['a,b\n1,2\n3,"4\n\n5,6\n', 3, 'a quote opens and never closes'],
  ])('names line and defect: %j', async (content, line, sentence) => {
    const { record } = await problem(content, { comment: '#', trim: true });
    expect(record.code).toBe('ETL_CSV_MALFORMED');
    expect(record.facts).toMatchObject({ file: 'problem.csv', line });
    expect(record.sentence).toContain(sentence);
  });

  it('refuses bytes that are not of the encoding, wherever they are', async () => {
    const rows = Buffer.from(`a,b\n${'1,2\n'.repeat(50_000)}`);
    const { record } = await problem(Buffer.concat([rows, Buffer.of(0xff, 0x0a)]), { trim: true });
    expect(record.code).toBe('ETL_FILE_FORMAT');
  });
});

describe('both paths', () => {
  async function valuesOf(
    file: SourceFile,
    description: CsvDescription,
  ): Promise<readonly (readonly (string | null)[])[]> {
    const canonical = { ...description.dialect, delimiter: ',', quote: '"', escape: '"', null: '' };
    const [dialect, stream] =
      description.path === 'bytes'
        ? [description.dialect, openCsvBytes(file, description)]
        : [canonical, openCsvRows(file, description, { subBatchSize: 3 })];
    const text = await textOf(stream.chunks);
    const rows = parseText(text, dialect, description.columns.length);
    expect(stream.totals().records).toBe(rows.length);
    return rows;
  }

  it('send the same values of random files', async () => {
    const value = fc
      .array(fc.constantFrom('a', ';', '"', '\n', '\r\n', '\\', ' ', 'é', '漢', '""', 'N'), {
        maxLength: 4,
      })
      .map((parts) => parts.join(''));
    const field = fc.option(fc.tuple(value, fc.boolean()), { nil: null });
    const record = fc.tuple(fc.nat(99), field, field);
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 8 }),
        fc.constantFrom('"', '\\'),
        fc.constantFrom('', 'N'),
        async (records, escape, spelled) => {
          const escaped = (text: string): string =>
            escape === '"' ? text.replaceAll('"', '""') : text.replaceAll(/["\\]/g, '\\$&');
          const written = (item: [string, boolean] | null): string => {
            if (item === null) return spelled;
            const [text, always] = item;
            const plain = !always && text !== spelled && !/[;"\r\n]/.test(text);
            return plain ? text : `"${escaped(text)}"`;
          };
          const lines = records.map(([id, a, b]) => `${id};${written(a)};${written(b)}\n`);
          const file = writeSource(folder, 'random.csv', `id;a;b\n${lines.join('')}`);
          const description = await described(file, { delimiter: ';', escape, null: spelled });
          const expected = records.map(([id, a, b]) => [`${id}`, a?.[0] ?? null, b?.[0] ?? null]);
          expect(description.path).toBe('bytes');
          expect(await valuesOf(file, description)).toEqual(expected);
          expect(await valuesOf(file, { ...description, path: 'rows' })).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});
