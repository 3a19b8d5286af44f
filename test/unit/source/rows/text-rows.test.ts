import { gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { describeJson } from '../../../../src/source/json/describe-json.ts';
import { describeParquet } from '../../../../src/source/parquet/describe-parquet.ts';
import type { TextPiece, TextRowsOptions } from '../../../../src/source/rows/text-row.ts';
import { openTextRows } from '../../../../src/source/rows/text-rows.ts';
import type { InputDescription, SourceFile } from '../../../../src/source/source-file.ts';
import { parquetOf, rowsOfColumns, type TwinColumn } from '../../../support/twin-files.ts';
import { described, temporaryFolder, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();

async function piecesOf(
  file: SourceFile,
  description: InputDescription,
  options: Partial<TextRowsOptions> = {},
): Promise<{ pieces: TextPiece[]; contentHash: string | null; bytes: number }> {
  const rows = openTextRows(file, description, {
    forms: description.columns.map(() => 'text'),
    rowsMax: 100,
    signal: new AbortController().signal,
    ...options,
  });
  const pieces: TextPiece[] = [];
  for await (const piece of rows.pieces) pieces.push(piece);
  return { pieces, contentHash: await rows.contentHash(), bytes: rows.bytesRead() };
}

function numbered(pieces: readonly TextPiece[]): (readonly [number, unknown])[] {
  return pieces.flatMap((piece): (readonly [number, unknown])[] =>
    piece.kind === 'bad'
      ? [[piece.record, piece.reason]]
      : piece.rows.map((row, index) => [piece.first + index, row]),
  );
}

describe('a CSV file', () => {
  it('gives each record its number, and tells of bad ones among them', async () => {
    const text = 'id,name\n1,a\n2\n\n3,"b\nc"\n4,d,e\n5,""\n';
    const file = writeSource(folder, 'bad.csv', text);
    const { pieces, contentHash, bytes } = await piecesOf(file, await described(file));
    const count = (fields: string): string =>
      `The record cannot be loaded: it has ${fields}, the header has 2.`;
    expect(numbered(pieces)).toEqual([
      [1, ['1', 'a']],
      [2, count('1 field')],
      [3, ['3', 'b\nc']],
      [4, count('3 fields')],
      [5, ['5', '']],
    ]);
    expect(contentHash).toBe(createHash('sha256').update(text).digest('hex'));
    expect(bytes).toBe(file.bytes);
  });

  it('gives no more rows at once than are asked for', async () => {
    const file = writeSource(folder, 'many.csv', `id\n${'7\n'.repeat(25)}`);
    const { pieces } = await piecesOf(file, await described(file), { rowsMax: 10 });
    expect(pieces.map((piece) => piece.kind === 'rows' && piece.rows.length)).toEqual([10, 10, 5]);
  });

  it.each<[string, string | Buffer, Parameters<typeof described>[1]]>([
    ['semicolons and CRLF', 'id;name\r\n1;ä\r\n2;"x;y"\r\n', {}],
    [
      'latin1',
      Buffer.from('id;name\n1;ä\n2;x;y\n'.replace('x;y', '"x;y"'), 'latin1'),
      { encoding: 'latin1' },
    ],
    ['comments, which COPY lacks', '#c\nid;name\n1;ä\n#d\n2;"x;y"\n', { comment: '#' }],
    ['gzip', gzipSync('id;name\n1;ä\n2;"x;y"\n'), {}],
  ])('is read with %s', async (name, content, options) => {
    const ending = name === 'gzip' ? 'csv.gz' : 'csv';
    const file = writeSource(folder, `dialect-${name.slice(0, 4)}.${ending}`, content);
    const { pieces } = await piecesOf(file, await described(file, options));
    expect(numbered(pieces)).toEqual([
      [1, ['1', 'ä']],
      [2, ['2', 'x;y']],
    ]);
  });

  it('tells of bytes that are not of its encoding, and goes on', async () => {
    const content = Buffer.concat([
      Buffer.from('id,name\n1,a\n2,'),
      Buffer.of(0xff),
      Buffer.from('\n3,c\n'),
    ]);
    const file = writeSource(folder, 'bytes.csv', content);
    const { pieces } = await piecesOf(file, await described({ ...file, badBytes: 'of a row' }));
    expect(numbered(pieces)).toEqual([
      [1, ['1', 'a']],
      [2, 'The record cannot be loaded: it has bytes that are not utf8.'],
      [3, ['3', 'c']],
    ]);
  });
});

test('a JSON file gives texts as they are and all else as JSON', async () => {
  const records = ['{"id":1.50,"a":"x\\ty","l":[1, 2]}', '{"id":2,"a":"\\u0000"}', '{"id":3}'];
  const file = writeSource(folder, 'records.jsonl', `${records.join('\n')}\n`);
  const description = await describeJson(file, { records: null, columns: {} });
  const { pieces } = await piecesOf(file, description, { forms: ['text', 'text', 'array'] });
  expect(numbered(pieces)).toEqual([
    [1, ['1.50', 'x\ty', '{"1","2"}']],
    [2, 'The value cannot be loaded: text of PostgreSQL cannot hold \\u0000.'],
    [3, ['3', null, null]],
  ]);
});

test('a Parquet file gives the texts of its CSV twin', async () => {
  const columns: TwinColumn[] = [
    { name: 'id', type: { kind: 'integer', bits: 64, signed: true }, texts: ['1', '-2', '3'] },
    { name: 'name', type: { kind: 'string' }, texts: ['a', null, ''] },
    { name: 'ratio', type: { kind: 'float', bits: 64 }, texts: ['0.1', 'NaN', null] },
  ];
  const file = writeSource(folder, 'twin.parquet', Buffer.from(parquetOf(columns)));
  const { pieces, contentHash } = await piecesOf(file, await describeParquet(file), { rowsMax: 2 });
  expect(pieces.map((piece) => piece.kind === 'rows' && piece.rows.length)).toEqual([2, 1]);
  expect(numbered(pieces).map(([, row]) => row)).toEqual(rowsOfColumns(columns).rows);
  expect(contentHash).toBe(createHash('sha256').update(readFileSync(file.path)).digest('hex'));
});
