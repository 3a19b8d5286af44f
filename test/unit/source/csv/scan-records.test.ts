import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { boundaryOf, finishScan, scanChunk } from '../../../../src/source/csv/scan-records.ts';
import { ScanProblem, startScan } from '../../../../src/source/csv/scan-state.ts';
import { PLAIN_DIALECT } from '../../../../src/source/csv/plain-dialect.ts';
import type { CsvDialect } from '../../../../src/source/source-file.ts';

const rfc4180 = PLAIN_DIALECT;

interface Scanned {
  readonly text: string;
  readonly records: number;
}

/** Each chunk is written over once its pieces are taken, as by who reads the next into its memory. */
function scanAll(
  text: string | Buffer,
  { chunkBytes = 1 << 20, columns = 2, dialect = rfc4180 }: Partial<ScanCase> = {},
): Scanned {
  const bytes = Buffer.from(text);
  const state = startScan(dialect, columns);
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    const chunk = Buffer.from(bytes.subarray(start, start + chunkBytes));
    pieces.push(...scanChunk(state, chunk).map((piece) => Buffer.from(piece)));
    chunk.fill('#');
  }
  pieces.push(...finishScan(state));
  return { text: Buffer.concat(pieces).toString(), records: state.records };
}

interface ScanCase {
  readonly chunkBytes: number;
  readonly columns: number;
  readonly dialect: CsvDialect;
}

/** Every size of chunk that can matter, and so every place of a border. */
function atEveryChunkSize(
  text: string,
  expected: Scanned,
  options: Omit<Partial<ScanCase>, 'chunkBytes'> = {},
): void {
  const { length } = Buffer.from(text);
  for (let chunkBytes = 1; chunkBytes <= length + 1; chunkBytes++) {
    expect({ chunkBytes, ...scanAll(text, { ...options, chunkBytes }) }).toEqual({
      chunkBytes,
      ...expected,
    });
  }
}

describe('records and what is passed on, cut at every byte', () => {
  it.each([
    ['LF', '1,a\n2,b\n', '1,a\n2,b\n', 2],
    ['CR LF', '1,a\r\n2,b\r\n', '1,a\r\n2,b\r\n', 2],
    ['CR only', '1,a\r2,b\r', '1,a\r2,b\r', 2],
    ['no last line end', '1,a\n2,b', '1,a\n2,b\n', 2],
    ['no last line end, CR LF', '1,a\r\n2,b', '1,a\r\n2,b\r\n', 2],
    ['no last line end, CR', '1,a\r2,b', '1,a\r2,b\r', 2],
    ['half a last line end', '1,a\r\n2,b\r', '1,a\r\n2,b\r\n', 2],
    ['one record, no line end', '1,a', '1,a\n', 1],
    ['one record, CR', '1,a\r', '1,a\r', 1],
    ['nothing', '', '', 0],
    ['quoted line ends', '1,"a\nb"\n2,"c\r\nd"\n', '1,"a\nb"\n2,"c\r\nd"\n', 2],
    ['quoted LF in CR LF', '"a\n",1\r\n"b\n\n",2\r\n', '"a\n",1\r\n"b\n\n",2\r\n', 2],
    ['quoted CR in the first record', '"a\r",1\nb,2\n', '"a\r",1\nb,2\n', 2],
    ['quoted delimiters', '"a,b","c,,"\n', '"a,b","c,,"\n', 1],
    ['doubled quotes', '"""a""",""""\n"""",\n', '"""a""",""""\n"""",\n', 2],
    ['stray quotes inside a line', '5" pipe and 6" hose,1\nx"y"z,2\n', null, 2],
    ['UTF-8 across borders', 'ä,"é\n漢"\n𝄞,ß\n', 'ä,"é\n漢"\n𝄞,ß\n', 2],
    ['empty fields', ',\n"",""\n', ',\n"",""\n', 2],
    ['backslashes that mean nothing', '\\,\\.\n\\.x,\\\n', '\\,\\.\n\\.x,\\\n', 2],
  ])('%s', (_, text, passed, records) => {
    atEveryChunkSize(text, { text: passed ?? text, records });
  });

  it.each([
    ['at the start', '\\.\n1,a\n', '"\\."\n1,a\n', 2],
    ['in the middle', '1,a\n\\.\n2,b\n', '1,a\n"\\."\n2,b\n', 3],
    ['at the end', '1,a\n\\.\n', '1,a\n"\\."\n', 2],
    ['at the end without a line end', '1,a\n\\.', '1,a\n"\\."\n', 2],
    ['alone', '\\.', '"\\."\n', 1],
    ['alone with CR', '\\.\r', '"\\."\r', 1],
    ['twice', '\\.\n\\.\n', '"\\."\n"\\."\n', 2],
    ['CR LF', '\\.\r\n1,a\r\n\\.\r\n', '"\\."\r\n1,a\r\n"\\."\r\n', 3],
    ['CR LF without the last LF', '1,a\r\n\\.\r', '1,a\r\n"\\."\r\n', 2],
    ['CR only', '1,a\r\\.\r2,b\r', '1,a\r"\\."\r2,b\r', 3],
    ['after an empty line', '1,a\n\n\\.\n', '1,a\n"\\."\n', 2],
    ['not inside quotes', '1,"a\n\\.\nb"\n', '1,"a\n\\.\nb"\n', 1],
    ['not as part of a record', '\\.\\.\n\\.,\n\\..\n.\\.\n', null, 4],
    ['a lone backslash', '\\\n\\', '\\\n\\\n', 2],
  ])('a record that is \\.: %s', (_, text, passed, records) => {
    atEveryChunkSize(text, { text: passed ?? text, records });
  });

  it.each([
    ['LF', '\n\n1,a\n\n\n2,b\n\n', '1,a\n2,b\n', 2],
    ['CR LF', '\r\n1,a\r\n\r\n2,b\r\n\r\n', '1,a\r\n2,b\r\n', 2],
    ['CR', '\r1,a\r\r2,b\r\r', '1,a\r2,b\r', 2],
    ['beside quotes', '"a",1\n\n"b\n\n",2\n\n', '"a",1\n"b\n\n",2\n', 2],
    ['nothing else', '\n\n\n', '', 0],
    ['CR LF, half the last one', '1,a\r\n\r', '1,a\r\n', 1],
  ])('drops empty lines where there is more than one column: %s', (_, text, passed, records) => {
    atEveryChunkSize(text, { text: passed, records });
  });

  it('keeps empty lines of a single column: they are NULL', () => {
    atEveryChunkSize('\na\n\n"b"\n\n', { text: '\na\n\n"b"\n\n', records: 5 }, { columns: 1 });
    atEveryChunkSize('a\r\n\r\nb\r\n', { text: 'a\r\n\r\nb\r\n', records: 3 }, { columns: 1 });
  });
});

describe('dialects', () => {
  it('takes an escape that is not the quote: inside quotes, before the next character', () => {
    const dialect = { ...rfc4180, escape: '\\' };
    const text = '"a\\"\n",1\n"b\\\\",2\nc\\,3\n"d\\\\\\"\n",4\n\\.\n';
    atEveryChunkSize(text, { text: text.replace(/\\\.\n$/, '"\\."\n'), records: 5 }, { dialect });
  });

  it('takes another quote character', () => {
    const dialect = { ...rfc4180, quote: "'", escape: "'" };
    const text = "'a\n''',\"\n\\.\n";
    atEveryChunkSize(text, { text: "'a\n''',\"\n'\\.'\n", records: 2 }, { dialect });
  });

  it('without quotes, a quote character means nothing', () => {
    const dialect = { ...rfc4180, delimiter: '\t', quote: null, escape: null };
    atEveryChunkSize(
      '5"\ta\n\\.\n"\tb\n',
      { text: '5"\ta\n\u0001\\.\u0001\n"\tb\n', records: 3 },
      {
        dialect,
      },
    );
    expect(() => scanAll('a\tb\n\u0001\tc\n', { dialect })).toThrow(
      expect.objectContaining({ kind: 'byte 1', offset: 4 }),
    );
  });
});

describe('problems', () => {
  function problemOf(text: string, chunkBytes: number): { kind: string; offset: number } | null {
    try {
      scanAll(text, { chunkBytes });
      return null;
    } catch (error) {
      if (!(error instanceof ScanProblem)) throw error;
      return { kind: error.kind, offset: error.offset };
    }
  }

  it.each([
    ['a quote that is never closed', '1,a\n2,"b\n3,c\n', 'unterminated quote', 6],
    ['nor by a doubled one', '1,"a""\n', 'unterminated quote', 2],
    ['nor at the very end', '1,"', 'unterminated quote', 2],
    ['a stray quote that swallows a line end', '1,5" pipe\n2,6" hose\n', 'stray quote', 3],
    ['an inner quote that was not doubled', '"5" pipe",1\n"6" hose",2\n', 'stray quote', 8],
    ['a stray quote in the last line', '1,a\n2,5" pipe', 'stray quote', 7],
    ['a stray section with a doubled quote', 'a"b""c\n",1\n', 'stray quote', 1],
  ])('%s', (_, text, kind, offset) => {
    for (let chunkBytes = 1; chunkBytes <= text.length; chunkBytes++) {
      expect({ chunkBytes, ...problemOf(text, chunkBytes) }).toEqual({ chunkBytes, kind, offset });
    }
  });

  it('refuses a record above the limit, whether or not it has ended', () => {
    const state = startScan(rfc4180, 2, 10);
    expect(scanChunk(state, Buffer.from('1,a\n2,"b'))).toHaveLength(1);
    expect(() => scanChunk(state, Buffer.from('0123456789'))).toThrow(
      expect.objectContaining({ kind: 'record too long', offset: 4 }),
    );
  });
});

describe('boundaryOf', () => {
  it('is the offset of the first byte of the unfinished record', () => {
    const state = startScan(rfc4180, 2);
    scanChunk(state, Buffer.from('1,a\n2,"x\n'));
    expect(boundaryOf(state)).toBe(4);
    scanChunk(state, Buffer.from('y"\n'));
    expect(boundaryOf(state)).toBe(12);
    scanChunk(state, Buffer.from('\\.'));
    expect(boundaryOf(state)).toBe(12);
  });
});

describe('against csv-parse', () => {
  const value = fc
    .array(fc.constantFrom('a', '7', ' ', ',', '"', '\n', '\r\n', '\\', '.', 'é', '漢', '\\.'), {
      maxLength: 5,
    })
    .map((parts) => parts.join(''));

  function quoted(text: string, always: boolean): string {
    const needed = /[",\r\n]/.test(text);
    return needed || always ? `"${text.replaceAll('"', '""')}"` : text;
  }

  it('counts the same records in random documents, wherever they are cut', () => {
    const record = fc.array(fc.tuple(value, fc.boolean()), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        (records, lineEnd, ended, chunkBytes) => {
          const lines = records.map((fields) =>
            fields.map(([text, always]) => quoted(text, always)).join(','),
          );
          const text = lines.join(lineEnd) + (ended ? lineEnd : '');
          const expected = parse(text, { relax_column_count: true, record_delimiter: lineEnd });
          const scanned = scanAll(text, { chunkBytes });
          expect(scanned.records).toBe(expected.length);
          // A single record without a line end does not tell which line end the file has.
          const added = ended ? '' : records.length === 1 ? '\n' : lineEnd;
          expect(scanned.text).toBe(text + added);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('passes on a single column with every value intact, \\. included', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.integer({ min: 1, max: 20 }),
        (values, lineEnd, chunkBytes) => {
          const text = values.map((item) => quoted(item, false) + lineEnd).join('');
          const scanned = scanAll(text, { chunkBytes, columns: 1 });
          expect(scanned.records).toBe(values.length);
          expect(parse(scanned.text, { record_delimiter: lineEnd })).toEqual(
            values.map((item) => [item]),
          );
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('gives the same result for every way to cut any bytes at all', () => {
    const piece = fc.constantFrom('a', ',', '"', '\n', '\r', '\r\n', '\\', '.', '\\.', '\n\\.\n');
    const document = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''));
    const outcome = (text: string, options: Partial<ScanCase>): unknown => {
      try {
        return scanAll(text, options);
      } catch (error) {
        if (!(error instanceof ScanProblem)) throw error;
        return { kind: error.kind, offset: error.offset };
      }
    };
    fc.assert(
      fc.property(
        document,
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(1, 2),
        fc.constantFrom('"', '\\'),
        (text, chunkBytes, columns, escape) => {
          const options = { columns, dialect: { ...rfc4180, escape } };
          expect(outcome(text, { ...options, chunkBytes })).toEqual(outcome(text, options));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
