import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtlError, type ErrorRecord } from '../../../../src/errors.ts';
import {
  addChunk,
  endWindow,
  readNext,
  startWindow,
} from '../../../../src/source/json/json-window.ts';
import { afterValue, JsonFault } from '../../../../src/source/json/json-bytes.ts';
import type { JsonForm } from '../../../../src/source/json/copy-rows.ts';
import { jsonRecords } from '../../../../src/source/json/json-records.ts';
import { lineOfRecord } from '../../../../src/source/json/line-of-record.ts';
import { openJson } from '../../../../src/source/json/json-stream.ts';
import type { SourceFile } from '../../../../src/source/source-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-json-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Wanted {
  readonly pointers: readonly string[];
  readonly forms?: readonly JsonForm[];
  readonly records?: string | null;
  readonly found?: boolean;
}

/** The rows as COPY reads them: fields, null for NULL. */
async function rowsOf(content: string | Buffer, wanted: Wanted): Promise<(string | null)[][]> {
  const path = join(folder, 'file.json');
  await writeFile(path, content);
  const { size: bytes, mtimeMs } = await stat(path);
  const file: SourceFile = {
    ...{ path, name: 'file.json', format: 'json', compression: 'none', bytes, mtimeMs },
  };
  const { pointers, forms = [], records = null, found = false } = wanted;
  const columns = pointers.map((pointer, index) => ({ name: `p${index}`, pointer }));
  const description = { kind: 'json', columns, records, found, lines: false } as const;
  const fields = pointers.map((_, column) => ({ column, form: forms[column] ?? 'text' }));
  const stream = openJson(file, description, fields);
  const text: Buffer[] = [];
  for await (const piece of stream.pieces) if (piece.kind === 'rows') text.push(piece.bytes);
  const rows = copyText(Buffer.concat(text).toString());
  expect(stream.totals().records).toBe(rows.length);
  return rows;
}

/** What COPY does with its text format. */
function copyText(text: string): (string | null)[][] {
  const lines = text.split('\n');
  expect(lines.pop(), 'the last line has its end').toBe('');
  const plain: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  return lines.map((line) =>
    line
      .split('\t')
      .map((field) =>
        field === '\\N'
          ? null
          : field.replace(/\\(.)/gs, (_, escaped: string) => plain[escaped] ?? escaped),
      ),
  );
}

async function failure(content: string | Buffer, wanted: Wanted): Promise<ErrorRecord> {
  const error: unknown = await rowsOf(content, wanted).catch((thrown: unknown) => thrown);
  if (!(error instanceof EtlError)) throw new Error('no error of the project', { cause: error });
  return error.record;
}

describe('values by pointer', () => {
  test('are text as PostgreSQL reads it, with all digits of numbers', async () => {
    const record =
      '{"a":"x","b":9007199254740993,"c":{"d":[1.50,{"e":null}]},"f/g":true,"h~i":-0.1e-7,"":"empty"}';
    const pointers = [
      '/a',
      '/b',
      '/c',
      '/c/d/0',
      '/c/d/1/e',
      '/f~1g',
      '/h~0i',
      '/',
      '/none',
      '/a/b',
    ];
    await expect(rowsOf(record, { pointers })).resolves.toEqual([
      [
        'x',
        '9007199254740993',
        '{"d":[1.50,{"e":null}]}',
        '1.50',
        null,
        'true',
        '-0.1e-7',
        'empty',
        null,
        null,
      ],
    ]);
  });

  test('are decoded, and stay one line of COPY whatever they hold', async () => {
    const value = 'tab\t line\n cr\r \\ \\N "quote" / \b\f é 漢 😀 \u007f';
    const escaped = '"\\u0041\\u00e9\\u6f22\\ud83d\\ude00\\/\\u000a\\u005c"';
    const content = `${JSON.stringify({ v: value })}\n{"v":${escaped}}\n{"v":"\\\\N"}\n{"v":""}`;
    await expect(rowsOf(content, { pointers: ['/v'] })).resolves.toEqual([
      [value],
      ['Aé漢😀/\n\\'],
      ['\\N'],
      [''],
    ]);
  });

  test('keep the spelling of a record and of nested JSON, white space too', async () => {
    const record = '{ "a" :\t[ 1 ,\n 2.0 ], "b":"\\u00e9\\n" }';
    await expect(
      rowsOf(record, { pointers: ['', '/a', '/b'], forms: ['json', 'text', 'json'] }),
    ).resolves.toEqual([[record, '[ 1 ,\n 2.0 ]', '"\\u00e9\\n"']]);
  });

  test('are the last of a name that comes twice, all of what is nested too', async () => {
    const content = '{"a":1,"a":2,"b":{"c":1,"d":2},"b":{"d":3}}';
    await expect(rowsOf(content, { pointers: ['/a', '/b/c', '/b/d'] })).resolves.toEqual([
      ['2', null, '3'],
    ]);
  });

  test('of names that are escaped in the file are found', async () => {
    await expect(rowsOf('{"\\u0061\\"":1,"b":2}', { pointers: ['/a"', '/b'] })).resolves.toEqual([
      ['1', '2'],
    ]);
  });

  test.each([
    ['1e3', '1000'],
    ['-12.0', '-12'],
    ['1.20e1', '12'],
    ['0.0', '0'],
    ['5', '5'],
    ['1.5', '1.5'],
    ['1e-2', '1e-2'],
    ['1e400', '1e400'],
    ['true', 'true'],
    ['{"a":1}', '{"a":1}'],
  ])('of integer columns: %s is %s', async (number, text) => {
    await expect(
      rowsOf(`{"v":${number}}`, { pointers: ['/v'], forms: ['integer'] }),
    ).resolves.toEqual([[text]]);
  });

  test.each([
    ['["a",null,2,true,"x\\"y\\\\z"]', 'array', '{"a",NULL,"2","true","x\\"y\\\\z"}'],
    ['[[1,2],[3,4]]', 'array', '{{"1","2"},{"3","4"}}'],
    ['[]', 'array', '{}'],
    ['[{"a":[1, "b"]},"c"]', 'json-array', '{"{\\"a\\":[1, \\"b\\"]}","\\"c\\""}'],
    ['"{a,b}"', 'array', '{a,b}'],
  ] as const)('of array columns: %s', async (json, form, text) => {
    await expect(rowsOf(`{"v":${json}}`, { pointers: ['/v'], forms: [form] })).resolves.toEqual([
      [text],
    ]);
  });
});

describe('records', () => {
  const pointers = ['/id'];
  test.each([
    ['lines', '{"id":1}\n{"id":2}\r\n\n {"id":3}', null],
    ['lines after a byte-order mark', '\ufeff{"id":1}\n{"id":2}{"id":3}', null],
    ['an array', ' [ {"id":1} , {"id":2},\n{"id":3} ] ', ''],
    ['an array at a pointer', '{"n":[{}],"r":[{"id":1},{"id":2},{"id":3}],"z":{"r":[]}}', '/r'],
    [
      'arrays at a deep pointer',
      '{"a":{"b/c":[{"id":1}]}} {"a":{"x":1,"b/c":[{"id":2},{"id":3}]},"y":2}',
      '/a/b~1c',
    ],
  ])('are %s', async (_, content, records) => {
    await expect(rowsOf(content, { pointers, records })).resolves.toEqual([['1'], ['2'], ['3']]);
  });

  test.each([
    ['an empty array', '[]', ''],
    ['an empty array at a pointer', '{"r":[ ]}', '/r'],
    ['white space', ' \n', null],
  ])('are none in %s', async (_, content, records) => {
    await expect(rowsOf(content, { pointers, records })).resolves.toEqual([]);
  });

  test.each([
    ['{"id":1}\n{"id":2', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['[{"id":1},\n{"id":2}', '', 'ETL_JSON_MALFORMED', 2, undefined],
    ['[{"id":1}]\n}', '', 'ETL_JSON_MALFORMED', 2, undefined],
    ['[{"id":1},]', '', 'ETL_JSON_MALFORMED', 1, undefined],
    ['{"id":1}\n{"id":01}', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['{"id":1}\n{"id":"a\tb"}', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['{"id":1}\n{"id":nul}', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['{"id":1}\n{id:1}', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['{"id":1}\n{"id":"\\x"}', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['{"id":1}\n7', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['{"id":1}\n[7]', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['{"id":1}\nnull', null, 'ETL_JSON_MALFORMED', 2, 2],
    ['{"s":1}', '/r', 'ETL_JSON_MALFORMED', 1, undefined],
    ['{"r":null}', '/r', 'ETL_JSON_MALFORMED', 1, undefined],
    ['{"r":[],"r":[]}', '/r', 'ETL_JSON_MALFORMED', 1, undefined],
    ['[{"id":1}]', '/r', 'ETL_JSON_MALFORMED', 1, undefined],
    ['{"id":1}\n\n{"id":"a\\u0000"}', null, 'ETL_ROW_INVALID', 3, 2],
    ['{"id":1}\n{"id":"\\ud800x"}', null, 'ETL_ROW_INVALID', 2, 2],
    ['['.repeat(1001), null, 'ETL_JSON_MALFORMED', 1, 1],
  ])(
    '%j with records at %j is refused, with its place',
    async (content, records, code, line, record) => {
      const error = await failure(content, { pointers, records });
      expect({ code: error.code, ...error.facts }).toMatchObject({ code, file: 'file.json', line });
      expect(error.facts.record).toBe(record);
    },
  );

  test('that are not UTF-8 are refused, though no column has their bytes', async () => {
    const content = Buffer.from('{"id":1}\n{"id":2,"x":"\u00e9"}\n', 'latin1');
    const error = await failure(content, { pointers });
    expect(error).toMatchObject({ code: 'ETL_FILE_FORMAT', facts: { line: 2 } });
  });

  test('with a field that is not known are refused where columns were found in a sample', async () => {
    const wanted = { pointers: ['/id', '/a'], found: true };
    await expect(rowsOf('{"id":1}{"a":{"b":1},"id":2}', wanted)).resolves.toHaveLength(2);
    const error = await failure('{"id":1}{"id":2,"b":1}', wanted);
    expect(error).toMatchObject({ code: 'ETL_COLUMN_MISSING', facts: { record: 2 } });
  });
});

describe('a file of many chunks', () => {
  const line = `{"id":1,"x":"${'é'.repeat(500)}"}`;
  const many = Array.from({ length: 6_000 }, () => line);
  const pointers = ['/id'];

  test('gives all records, one that is longer than several chunks too', async () => {
    const long = `{"id":2,"x":[${'"abc",'.repeat(1_000_000)}0]}`;
    const rows = await rowsOf([...many, long, ...many].join('\n'), { pointers: ['/id', '/x'] });
    expect(rows).toHaveLength(12_001);
    expect(rows[6_000]).toEqual(['2', long.slice(12, -1)]);
  });

  test.each([
    ['{"id":nul}', 'ETL_JSON_MALFORMED'],
    ['{"id":"\\u0000"}', 'ETL_ROW_INVALID'],
    [Buffer.from('{"id":"\u00e9"}', 'latin1'), 'ETL_FILE_FORMAT'],
  ])('tells the line of what is wrong far behind: %s', async (bad, code) => {
    const content = Buffer.concat([Buffer.from(`${many.join('\n')}\n`), Buffer.from(bad)]);
    const error = await failure(content, { pointers });
    expect(error).toMatchObject({ code, facts: { line: 6_001 } });
  });

  test.each([
    ['{"id":1}\n{"id":\n{"id":3}\n', 4, 2],
    ['[{"id":1},\n {"id":2,\n "x" 3}]', 3, 2],
  ])('tells where the record begins that %j breaks', async (text, line, begun) => {
    const records = text.startsWith('[') ? '' : null;
    const error = await failure(Buffer.from(text), { pointers: ['/id'], records });
    expect(error).toMatchObject({ code: 'ETL_JSON_MALFORMED', facts: { line, record: 2 } });
    expect(error.sentence).toContain(`; the record begins in line ${begun}.`);
  });

  test('does not tell it where it is the line itself', async () => {
    const error = await failure(Buffer.from('{"id":1}\n{"id" 2}\n'), { pointers: ['/id'] });
    expect(error.sentence).not.toContain('begins');
  });

  test('has its records found again, with their lines', async () => {
    const path = join(folder, 'again.json');
    await writeFile(path, `[\n\n${many.join(',\n')}]`);
    const { size: bytes, mtimeMs } = await stat(path);
    const file: SourceFile = {
      ...{ path, name: 'again.json', format: 'json', compression: 'none', bytes, mtimeMs },
    };
    const wanted = [1, 2, 3_000, 5_999, 6_000];
    const found: [number, number, number][] = [];
    for await (const each of jsonRecords(
      file,
      { records: '', lines: false },
      () => wanted[found.length] ?? null,
    )) {
      expect(each.bytes.toString()).toBe(line);
      found.push([each.record, each.line, each.offset]);
    }
    const each = Buffer.byteLength(line) + 2;
    expect(found).toEqual(wanted.map((record) => [record, record + 2, 3 + (record - 1) * each]));
    await expect(lineOfRecord(file, { records: '', lines: false }, 5_000)).resolves.toBe(5_002);
    await expect(lineOfRecord(file, { records: '/r', lines: false }, 5_000)).resolves.toBe(1);
  });
});

describe('any JSON', () => {
  /** A value as text, with white space anywhere and any spelling of strings and numbers. */
  const space = fc.stringMatching(/^[ \n\r\t]{0,2}$/);
  const json = fc
    .tuple(fc.jsonValue({ maxDepth: 4 }), fc.array(space, { minLength: 1, maxLength: 7 }))
    .map(([value, spaces]) => spaced(value, spaces));

  /** JSON.stringify with white space between all tokens. */
  function spaced(value: unknown, spaces: readonly string[]): string {
    let turn = 0;
    const gap = (): string => spaces[turn++ % spaces.length] ?? '';
    const write = (part: unknown): string => {
      if (Array.isArray(part)) return `[${part.map(write).join(`${gap()},`)}${gap()}]`;
      if (typeof part !== 'object' || part === null) return `${gap()}${JSON.stringify(part)}`;
      const members = Object.entries(part).map(
        ([name, member]) => `${gap()}${JSON.stringify(name)}${gap()}:${write(member)}${gap()}`,
      );
      return `${gap()}{${members.join(',')}${gap()}}`;
    };
    return write(value);
  }

  /** Texts of the records that are found when the bytes come in these chunks; null: a fault. */
  function records(text: string, cuts: readonly number[], steps: readonly string[] | null) {
    const bytes = Buffer.from(text);
    const window = startWindow(steps);
    const found: string[] = [];
    let start = 0;
    const read = (at: number): number => {
      start = at;
      return afterValue(window.json, at);
    };
    const drain = (): void => {
      while (readNext(window, read) === 'record') {
        found.push(window.json.bytes.toString('utf8', start, window.frame.at));
      }
    };
    try {
      let from = 0;
      for (const cut of [...cuts.map((each) => each % (bytes.length + 1)), bytes.length].sort(
        (a, b) => a - b,
      )) {
        addChunk(window, bytes.subarray(from, cut));
        from = cut;
        drain();
      }
      endWindow(window);
      drain();
      return found;
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      return null;
    }
  }

  const cuts = fc.array(fc.nat(), { maxLength: 12 });

  test('is cut into the records that JSON.parse sees, wherever the chunks end', () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 5 }), cuts, (values, at) => {
        const parsed = values.map((value): unknown => JSON.parse(value));
        const all = (found: string[] | null) => found?.map((value): unknown => JSON.parse(value));
        expect(all(records(values.join('\n'), at, null))).toEqual(parsed);
        expect(all(records(`[${values.join(',')}]`, at, []))).toEqual(parsed);
        const inside = `{"x":${values[0] ?? '1'},"r":[${values.join(',')}],"y":{"r":[]}}`;
        expect(all(records(inside, at, ['r']))).toEqual(parsed);
      }),
      { numRuns: 400 },
    );
  });

  test('is taken or refused as JSON.parse does, one byte changed or lost', () => {
    const change = fc.record({
      at: fc.nat(),
      byte: fc.constantFrom(...Array.from('{}[]",:\\0129.eE+-ntfu \n\u0001')),
      drop: fc.boolean(),
    });
    fc.assert(
      fc.property(json, change, cuts, (value, { at, byte, drop }, places) => {
        const ascii = value.replace(/[^\x00-\x7f]/g, 'x');
        const place = at % ascii.length;
        const text = `[${ascii.slice(0, place)}${drop ? '' : byte}${ascii.slice(place + 1)}]`;
        let parsed: unknown[] | null;
        try {
          parsed = JSON.parse(text) as unknown[];
        } catch {
          parsed = null;
        }
        const found = records(text, places, []);
        expect(found?.map((each): unknown => JSON.parse(each)) ?? null).toEqual(parsed);
      }),
      { numRuns: 1_500 },
    );
  });

  test('gives values by pointer as JSON.parse does', async () => {
    const name = fc.constantFrom('a', 'b', 'ä', 'a/b', '', '0', 'long name ~ of a field');
    const record = fc.dictionary(
      name,
      fc.oneof(fc.string({ unit: 'binary' }), fc.dictionary(name, fc.string())),
      { noNullPrototype: true },
    );
    const pointers = ['/a', '/b/a', '/ä', '/a~1b', '/', '/0/', '/long name ~0 of a field', '/b/0'];
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 6 }), async (values) => {
        const storable = values.filter(
          (value) => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(value)),
        );
        const rows = await rowsOf(storable.map((value) => JSON.stringify(value)).join('\n'), {
          pointers,
        });
        const at = (value: unknown, step: string): unknown =>
          typeof value === 'object' && value !== null && Object.hasOwn(value, step)
            ? (value as Record<string, unknown>)[step]
            : undefined;
        const expected = storable.map((value) =>
          pointers.map((pointer) => {
            const steps = pointer
              .slice(1)
              .split('/')
              .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
            const found = steps.reduce<unknown>(at, value);
            if (found === undefined) return null;
            return typeof found === 'string' ? found : JSON.stringify(found);
          }),
        );
        expect(rows).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });
});
