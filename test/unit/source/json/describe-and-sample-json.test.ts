import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import type { JsonOptions } from '../../../../src/job/schema.ts';
import { formatOfName } from '../../../../src/source/file-format.ts';
import { describeJson } from '../../../../src/source/json/describe-json.ts';
import { sampleJson } from '../../../../src/source/json/sample-json.ts';
import type { SourceFile } from '../../../../src/source/source-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-json-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, content: string | Buffer): Promise<SourceFile> {
  const path = join(folder, name);
  await writeFile(path, content);
  const { size: bytes, mtimeMs } = await stat(path);
  const kind = formatOfName(name);
  if ('sentence' in kind) throw new Error(kind.sentence);
  return { path, name, ...kind, bytes, mtimeMs };
}

const describeFile = async (
  name: string,
  content: string | Buffer,
  options: Partial<JsonOptions> = {},
) => describeJson(await fileOf(name, content), { records: null, columns: {}, ...options });

const SAMPLE = { rowsMax: 1_000, bytesMax: LIMITS.sampleBytesPerFileMax, seed: 7 };

describe('the description', () => {
  test.each([
    ['a.json', ' [{"a":1},{"b":2,"a":1}]', '', false],
    ['a.json', '{"a":1,"b":[]}', null, true],
    ['a.json', '{"a":1}\n{"b":2}\n', null, true],
    ['a.jsonl', '{"a":1}\r\n{"b":2}', null, true],
    ['a.ndjson', '{"a":1}\n{"b":\n2}', null, false],
    ['a.jsonl.gz', gzipSync('{"a":1}\n{"b":2}\n'), null, true],
  ])('%s: %s', async (name, content, records, lines) => {
    await expect(describeFile(name, content)).resolves.toEqual({
      kind: 'json',
      columns: [
        { name: 'a', pointer: '/a' },
        { name: 'b', pointer: '/b' },
      ],
      ...{ records, lines, found: true },
    });
  });

  test('has the columns of the job, and looks for no others', async () => {
    const options = { records: '/r', columns: { x: '/a/0', all: '' } };
    await expect(describeFile('a.json', '{"r":[{"a":[1]}]}', options)).resolves.toMatchObject({
      columns: [
        { name: 'x', pointer: '/a/0' },
        { name: 'all', pointer: '' },
      ],
      found: false,
      records: '/r',
    });
  });

  test('escapes names for their pointers', async () => {
    const { columns } = await describeFile('a.json', '[{"a/b~c":1,"\\u0041":2}]');
    expect(columns).toEqual([
      { name: 'a/b~c', pointer: '/a~1b~0c' },
      { name: 'A', pointer: '/A' },
    ]);
  });

  test('has a field that only the middle of a large file of lines has', async () => {
    const line = `{"id":1,"text":"${'x'.repeat(200)}"}\n`;
    const half = line.repeat(Math.ceil(LIMITS.sampleBytesPerFileMax / line.length));
    const middle = '{"id":2,"text":"y","late":true}\n'.repeat(40_000);
    const { columns, lines } = await describeFile('a.jsonl', half + middle + half);
    expect(lines).toBe(true);
    expect(columns.map(({ name }) => name)).toEqual(['id', 'text', 'late']);
  });

  test.each([
    ['no JSON at all', '{,}', {}, 'ETL_JSON_MALFORMED'],
    ['the error page of a download', '\n<html>', {}, 'ETL_FILE_FORMAT'],
    ['records that are numbers', '1 2', { columns: { a: '' }, records: '' }, 'ETL_JSON_MALFORMED'],
    ['no array at the pointer', '{"a":1}', { records: '/r' }, 'ETL_JSON_MALFORMED'],
    ['UTF-16', Buffer.from('\ufeff[{"a":1}]', 'utf16le'), {}, 'ETL_FILE_FORMAT'],
    ['gzip data', gzipSync('[]'), {}, 'ETL_FILE_FORMAT'],
    ['a field without a name', '[{"":1}]', {}, 'ETL_COLUMN_MISSING'],
    [
      'too many fields',
      `[{${Array.from({ length: 1_601 }, (_, index) => `"f${index}":1`).join()}}]`,
      {},
      'ETL_LIMIT',
    ],
  ])('refuses %s', async (_, content, options, code) => {
    await expect(describeFile('a.json', content, options)).rejects.toMatchObject({ code });
  });

  test.each(['[]', '[1,2]', ' \n'])('has no columns of %j', async (content) => {
    // Whether that is an error is known of all files of a load together.
    await expect(describeFile('a.json', content)).resolves.toMatchObject({ columns: [] });
  });

  test('does not look at what is wrong behind the first record: the load tells', async () => {
    const { columns } = await describeFile('a.jsonl', '{"a":1}\n{"b":2}\nnonsense');
    expect(columns.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('the sample', () => {
  const sample = async (
    name: string,
    content: string | Buffer,
    columns: readonly string[],
    options: Partial<typeof SAMPLE> = {},
  ) => {
    const file = await fileOf(name, content);
    const description = await describeJson(file, { records: null, columns: {} });
    return sampleJson(file, description, { ...SAMPLE, ...options, columns });
  };

  test('has text as a text column has it, and which of it are strings', async () => {
    const content = '[{"a":"1","b":1.50},{"b":{"x": 1}},{"a":null,"b":"é\\n"}]';
    await expect(sample('a.json', content, ['b', 'a'])).resolves.toEqual({
      columns: ['b', 'a'],
      rows: [
        ['1.50', '1'],
        ['{"x": 1}', null],
        ['é\n', null],
      ],
      strings: [
        [false, true],
        [false, false],
        [true, false],
      ],
      ...{ fileRows: 3, fileRowsExact: true, complete: true },
    });
  });

  const records = Array.from({ length: 200_000 }, (_, id) => ({ id, text: 'x'.repeat(id % 100) }));

  test('of a large array is of its head, and says about how many rows the file has', async () => {
    const found = await sample('a.json', JSON.stringify(records), ['id']);
    expect(found).toMatchObject({ fileRowsExact: false, complete: false });
    expect(found.rows).toHaveLength(1_000);
    expect(found.fileRows).toBeGreaterThan(190_000);
    expect(found.fileRows).toBeLessThan(210_000);
  });

  test('of large lines makes texts of the rows that are kept alone, and holds one block at a time', async () => {
    const line = (id: number): string => `{"id":${id},"name":"${'x'.repeat(60)}"}\n`;
    const lines = Array.from({ length: 30_000 }, (_, id) => line(id)).join('');
    const file = await fileOf('kept.jsonl', lines);
    const description = await describeJson(file, { records: null, columns: {} });
    const texts = vi.spyOn(Buffer.prototype, 'toString');
    const buffers = vi.spyOn(Buffer, 'alloc');
    try {
      const bytesMax = 1024 * 1024;
      const options = { ...SAMPLE, rowsMax: 320, bytesMax, columns: ['id', 'name'] };
      expect((await sampleJson(file, description, options)).rows).toHaveLength(320);
      expect(texts.mock.calls.length).toBeLessThanOrEqual(2 * 320);
      const ofBlocks = buffers.mock.calls.filter(([size]) => size === bytesMax / 32);
      expect(ofBlocks).toHaveLength(1);
    } finally {
      texts.mockRestore();
      buffers.mockRestore();
    }
  });

  test('of large lines is of all places of the file', async () => {
    const lines = records.map((record) => JSON.stringify(record)).join('\n');
    const found = await sample('a.jsonl', lines, ['id'], { bytesMax: 1024 * 1024 });
    const ids = found.rows.map(([id]) => Number(id));
    for (let tenth = 0; tenth < 10; tenth++) {
      expect(ids.some((id) => Math.floor(id / 20_000) === tenth)).toBe(true);
    }
    expect(found.fileRows).toBeGreaterThan(190_000);
    expect(found.fileRows).toBeLessThan(210_000);
  });

  test('ends at what is no JSON', async () => {
    const found = await sample('a.jsonl', '{"a":1}\n{"a":2}\n{"a":', ['a']);
    expect(found.rows).toEqual([['1'], ['2']]);
    expect(found).toMatchObject({ complete: false });
  });
});
