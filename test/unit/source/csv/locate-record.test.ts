import { describe, expect, it } from 'vitest';
import type { CsvOptions } from '../../../../src/job/schema.ts';
import {
  locateCopyLine,
  locateRecord,
  locateUnreadable,
} from '../../../../src/source/csv/locate-record.ts';
import type { LocatedRecord } from '../../../../src/source/csv/locate-record.ts';
import { described, temporaryFolder, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();

async function located(
  content: string | Buffer,
  find: typeof locateRecord,
  number: number,
  options: Partial<CsvOptions> = {},
): Promise<LocatedRecord | null> {
  const file = writeSource(folder, 'located.csv', content);
  return find(file, await described(file, options), number);
}

const rowOptions = { trim: true };

describe('locateRecord', () => {
  const content = '\ufeffid,"na\nme"\n\n1,a\n2,"b\n\nc"\n\n3,"x\ny",z\n4,d';

  it.each([
    [1, 4, '1,a', ['1', 'a'], null],
    [2, 5, '2,"b\n\nc"', ['2', 'b\n\nc'], null],
    [3, 9, '3,"x\ny",z', ['3', 'x\ny', 'z'], 'it has 3 fields, the header has 2'],
    [4, 11, '4,d', ['4', 'd'], null],
  ])('finds record %i in line %i', async (record, line, text, fields, problem) => {
    const expected = { record, line, fields, problem };
    expect(await located(content, locateRecord, record)).toEqual({ ...expected, text });
    const byRows = await located(content, locateRecord, record, rowOptions);
    expect(byRows).toMatchObject(expected);
  });

  it('finds none behind the last', async () => {
    expect(await located(content, locateRecord, 5)).toBeNull();
    expect(await located(content, locateRecord, 5, rowOptions)).toBeNull();
  });

  it.each([
    ['a,b\r\n1,"x\r\ny"\r\n3,4\r\n', 2, 4],
    ['a,b\r1,"x\ry"\r3,4', 2, 4],
    ['1,2\n3,4\n', 2, 2],
  ])('counts lines of every kind: %j', async (text, record, line) => {
    const options = { header: text.startsWith('a') };
    expect(await located(text, locateRecord, record, options)).toMatchObject({ line });
  });

  it.each([
    ['a,b\n1,x"y\n', 'a quote stands in the middle of an unquoted field'],
    ['a,b\n1,"x"y\n', 'a closing quote is followed by neither a delimiter nor a line end'],
    ['a,b\n1\n', 'it has 1 field, the header has 2'],
  ])('says what is wrong in %j', async (text, problem) => {
    expect(await located(text, locateRecord, 1)).toMatchObject({ record: 1, line: 2, problem });
  });

  it.each([
    ['3,\u0000\n', 'it has a NUL byte'],
    ['3,\u00ff\n', 'it has bytes that are not utf8'],
    ['3,x\ry\n', 'it has a line end outside quotes that is not the line end of the file'],
  ])('notices what a header cannot show: %j', async (last, problem) => {
    const content = Buffer.from(`a,b\n${'1,2\n'.repeat(40_000)}${last}`, 'latin1');
    const found = await located(content, locateRecord, 40_001);
    expect(found).toMatchObject({ line: 40_002, problem });
  });

  it('cuts a long text', async () => {
    const found = await located(`a,b\n1,${'x'.repeat(20_000)}\n`, locateRecord, 1);
    expect(found?.text).toHaveLength(10_000);
  });
});

describe('locateCopyLine', () => {
  // Lines as PostgreSQL 15 names them for these very data.
  it.each([
    ['a,b\n\n1,"x\ny"\n\n2,"z\nz"\n3,4\n', [1, 3, 4]],
    ['a,b\r\n1,"x\ny"\r\n2,"z\r\nz"\r\n3,4\r\n', [1, 3, 4]],
    ['a,b\r1,"x\ry"\r2,"z\nz"\r3,4\r', [2, 3, 4]],
  ])('finds the records of %j', async (content, copyLines) => {
    for (const [index, copyLine] of copyLines.entries()) {
      expect(await located(content, locateCopyLine, copyLine)).toMatchObject({ record: index + 1 });
    }
  });

  it('finds those that the row path sent', async () => {
    const content = 'a,b\n\n 1 ,"x\ny"\n2 ,"z\nz"\n3,4\n';
    for (const [record, copyLine] of [1, 3, 4].entries()) {
      const found = await located(content, locateCopyLine, copyLine, rowOptions);
      expect(found).toMatchObject({ record: record + 1 });
    }
  });
});

describe('locateUnreadable', () => {
  it('finds the record that csv-parse stumbles over, after more than it buffers', async () => {
    const content = `a,b\n${'1,"x\ny"\n'.repeat(100)}2,x"y\n3,4\n`;
    const file = writeSource(folder, 'unreadable.csv', content);
    const description = await described(file);
    expect(await locateUnreadable(file, description)).toMatchObject({
      record: 101,
      line: 202,
      problem: 'a quote stands in the middle of an unquoted field',
    });
  });

  it('finds none in a good file', async () => {
    const file = writeSource(folder, 'readable.csv', 'a,b\n1,2\n');
    expect(await locateUnreadable(file, await described(file))).toBeNull();
  });
});
