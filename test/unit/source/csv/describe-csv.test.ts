import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../../src/errors.ts';
import type { CsvOptions } from '../../../../src/job/schema.ts';
import { copyFormatOf } from '../../../../src/source/csv/copy-format.ts';
import { described, temporaryFolder, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();

async function message(
  name: string,
  content: string | Buffer,
  options: Partial<CsvOptions> = {},
): Promise<string> {
  try {
    await described(writeSource(folder, name, content), options);
  } catch (error) {
    if (error instanceof EtlError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('delimiter', () => {
  it.each([
    ['a,b\n1,2\n', ','],
    ['a;b\n1,5;2,5\n', ';'],
    ['a\tb c\n1\t2,3\n', '\t'],
    ['a|b|c\n1|2,|3\n', '|'],
    ['last, first;x;y\nDoe, J;1;2\n', ';'],
    ['a;b,c;d\n1;2;3\n4;5;6\n', ';'],
    ['"a,b,c";"d"\n"1,2,3";2\n', ';'],
    ['a,b\n1;2;3,4\n', ','],
    ['single\n1;2\n3\n', ','],
    ['a;b', ';'],
  ])('of %j is %j', async (content, delimiter) => {
    const { dialect } = await described(writeSource(folder, 'delimiter.csv', content));
    expect(dialect.delimiter).toBe(delimiter);
  });

  it('is a tab for .tsv, and what the options say before that', async () => {
    const file = writeSource(folder, 'delimiter.tsv', 'a,b\n1,2\n');
    expect((await described(file)).columns).toEqual(['a,b']);
    expect((await described(file, { delimiter: ',' })).columns).toEqual(['a', 'b']);
  });

  it('is found behind a header that is longer than one read', async () => {
    const columns = Array.from({ length: 1500 }, (_, index) => `column ${index} ${'x'.repeat(60)}`);
    const file = writeSource(folder, 'wide.csv.gz', gzipSync(`${columns.join(';')}\n1;2\n`));
    expect((await described(file)).columns).toEqual(columns);
  });
});

describe('columns', () => {
  it('are numbered without a header', async () => {
    const file = writeSource(folder, 'none.csv', '1,"",x\n');
    const { columns } = await described(file, { header: false });
    expect(columns).toEqual(['column1', 'column2', 'column3']);
  });

  it('are called as they are, even as NULL is spelled', async () => {
    const file = writeSource(folder, 'null.csv', 'id,NULL\n1,2\n');
    expect((await described(file, { null: 'NULL' })).columns).toEqual(['id', 'NULL']);
  });

  it.each([
    ['a,b,c,b\n', 'duplicate.csv, column "b": Columns 2 and 4 of the header have the same name.'],
    ['a,,c\n', 'The header has no name for column 2 of 3.'],
    ['a,b,\n1,2,\n', 'The header has no name for column 3 of 3.'],
    ['sep=;\na;b\n1;2\n', 'tells Excel the delimiter. Leave the line out: --csv-skip-lines 1'],
    ['SEP=,\r\na,b\r\n1,2\r\n', 'tells Excel the delimiter.'],
    ['sep=\t\na\tb\n1\t2\n', 'tells Excel the delimiter.'],
    ['a,"b\n1,2\n', 'The header cannot be read: Quote Not Closed'],
    ['a,b"c\n1,2\n', 'The header cannot be read: Invalid Opening Quote'],
    ['\n\r\n\n', 'The file has no header.'],
    ['\ufeff', 'The file has no header.'],
  ])('of %j are refused', async (content, sentence) => {
    expect(await message('duplicate.csv', content)).toContain(sentence);
  });

  it('are refused where there are too many, or no end', async () => {
    const many = Array.from({ length: 1601 }, (_, index) => `c${index}`).join(',');
    expect(await message('many.csv', many)).toContain('has 1601 columns; a table has 1600 at most');
    const endless = `"a${'\nx'.repeat(600_000)}`;
    expect(await message('endless.csv', endless)).toContain('has no end within 1048576 bytes');
  });

  it('are none in a file whose lines are all skipped', async () => {
    expect(await message('skipped.csv', 'a\nb\n', { skipLines: 2 })).toContain('has no header');
    expect(await message('void.csv', '\ufeff', { header: false })).toContain('has no records');
    expect(await message('void.csv.gz', gzipSync(''))).toContain('has no header');
  });
});

describe('what is not CSV', () => {
  it.each([
    ['PAR1....', 'It ends in .parquet', 'is a Parquet file'],
    ['PK\u0003\u0004..', '', 'is a ZIP archive'],
    ['a,b\n1,\u0000\n', '', 'looks binary: it has NUL bytes'],
  ])('%j', async (content, _, sentence) => {
    expect(await message('other.csv', content)).toContain(sentence);
  });

  it('names compressed data and UTF-16', async () => {
    expect(await message('other.csv', gzipSync('a,b\n'))).toContain('is gzip data. Add .gz');
    const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]);
    expect(await message('other.csv', zstd)).toContain('is Zstandard data. Add .zst');
    const utf16 = Buffer.from('\ufeffa,b\n', 'utf16le');
    expect(await message('other.csv', utf16)).toContain('Say so with --csv-encoding utf16le.');
    expect(await message('other.csv', Buffer.from(utf16).swap16())).toContain(
      '--csv-encoding utf16be.',
    );
  });

  it.each([
    ['<!DOCTYPE html><html>', 'is a page of HTML'],
    [' <?xml version="1.0"?>', 'or XML'],
    ['[{"id": 1}]', 'is JSON. Let its name end in .json'],
    ['\ufeff{ "id": 1 }\n', 'is JSON'],
  ])('names what another program wrote: %j', async (content, sentence) => {
    expect(await message('other.csv', content)).toContain(sentence);
  });

  it('takes a header with brackets or angles for what it is', async () => {
    const file = writeSource(folder, 'odd.csv', '<a>,[b],{c}\n1,2,3\n');
    expect((await described(file)).columns).toEqual(['<a>', '[b]', '{c}']);
  });

  it('finds bytes of another encoding', async () => {
    const latin1 = Buffer.from('größe,b\n1,2\n', 'latin1');
    expect(await message('latin1.csv', latin1)).toContain('has bytes that are not utf8. Name the');
    const file = writeSource(folder, 'latin1.csv', latin1);
    expect((await described(file, { encoding: 'ISO-8859-1' })).columns).toEqual(['größe', 'b']);
    expect(await message('latin1.csv', latin1, { encoding: 'klingon' })).toContain(
      'The encoding "klingon" is not known.',
    );
    const odd = Buffer.from('\ufeffa,b\n1', 'utf16le').subarray(0, -1);
    expect(await message('odd.csv', odd, { encoding: 'utf16le' })).toContain('are not utf16le');
  });

  it.each([
    ['latin1', 'é', Buffer.of(0xe9)],
    ['WIN1251', 'Ж', Buffer.of(0xc6)],
    ['latin9', '€', Buffer.of(0xa4)],
    ['KOI8-R', 'ж', Buffer.of(0xd6)],
    ['sjis', '表', Buffer.of(0x95, 0x5c)],
    ['EUC_JP', '日', Buffer.of(0xc6, 0xfc)],
    ['gb18030', '中', Buffer.of(0xd6, 0xd0)],
    ['big5', '中', Buffer.of(0xa4, 0xa4)],
    ['EUC_KR', '가', Buffer.of(0xb0, 0xa1)],
  ])('reads %s', async (encoding, name, bytes) => {
    const content = Buffer.concat([bytes, Buffer.from(',b\n1,2\n')]);
    const { columns } = await described(writeSource(folder, 'encoded.csv', content), { encoding });
    expect(columns).toEqual([name, 'b']);
  });
});

describe('path', () => {
  async function pathOf(options: Partial<CsvOptions>): Promise<string> {
    return (await described(writeSource(folder, 'path.csv', 'a\n1\n'), options)).path;
  }

  it.each<Partial<CsvOptions>>([
    {},
    { encoding: 'latin1' },
    { quote: null },
    { escape: '\\' },
    { null: '\\N' },
    { delimiter: '\u0001' },
    { skipLines: 0, header: false },
    { encoding: 'sjis', delimiter: ';' },
    { encoding: 'eucjp', delimiter: '|', escape: '\\' },
  ])('is bytes for what COPY reads itself: %j', async (options) => {
    expect(await pathOf(options)).toBe('bytes');
  });

  it.each<Partial<CsvOptions>>([
    { comment: '#' },
    { trim: true },
    { delimiter: '::' },
    { delimiter: '§' },
    { quote: '«' },
    { delimiter: '\u0001', quote: null },
    { null: 'a,b', delimiter: ',' },
    { null: '"' },
    { encoding: 'sjis', delimiter: '|' },
    { encoding: 'big5', escape: '\\' },
    { encoding: 'gb18030', delimiter: '1' },
    { encoding: 'gbk', quote: '~' },
  ])('is rows for what COPY lacks: %j', async (options) => {
    expect(await pathOf(options)).toBe('rows');
  });

  it('refuses a delimiter that cannot be one', async () => {
    expect(await message('path.csv', 'a\n', { delimiter: '\n' })).toContain('[ETL_JOB_INVALID]');
    expect(await message('path.csv', 'a\n', { delimiter: '"' })).toContain('[ETL_JOB_INVALID]');
  });

  it('decides what COPY is told', async () => {
    const file = writeSource(folder, 'copy.csv', 'a;b\n1;2\n');
    expect(copyFormatOf(await described(file, { encoding: 'Latin-1', null: '-' }))).toEqual({
      delimiter: ';',
      quote: '"',
      escape: '"',
      null: '-',
      encoding: 'latin1',
    });
    expect(copyFormatOf(await described(file, { quote: null }))).toMatchObject({
      quote: '\u0001',
      escape: '\u0001',
    });
    expect(copyFormatOf(await described(file, { trim: true, null: '-' }))).toEqual({
      delimiter: ',',
      quote: '"',
      escape: '"',
      null: '',
      encoding: 'utf8',
    });
  });
});
