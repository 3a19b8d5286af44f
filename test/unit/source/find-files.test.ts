import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { findFiles } from '../../../src/source/find-files.ts';
import type { FindOptions } from '../../../src/source/find-files.ts';
import { temporaryFolder } from './temporary-files.ts';

const cwd = temporaryFolder();
function put(name: string, content = 'a\n1\n', minutesAgo = 0): void {
  const file = path.join(cwd, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  const time = 1_700_000_000 - 60 * minutesAgo;
  utimesSync(file, time, time);
}

put('day/file10.csv', undefined, 30);
put('day/file2.csv', undefined, 10);
put('day/file1.csv', undefined, 20);
put('day/more/file1.csv.gz', undefined, 20);
put('all/a.parquet');
put('all/b.tsv.zst');
put('all/c.txt');
put('all/D.PQ');
put('all/data');
put('odd/[1].csv');
put('odd/1.csv');
put('odd/{a,b}.csv');
put('bad/empty.csv', '');
put('bad/notes.md');
put('bad/table.parquet.gz');
put('bad/orders-2023.csv');
put('bad/orders-2024.csv');
put('bad/orders-2025.csv');
put('bad/orders-2026.csv');

async function names(patterns: string[], options: Partial<FindOptions> = {}): Promise<string[]> {
  const files = await findFiles(patterns, { cwd, order: 'name', ...options });
  return files.map((file) => file.name);
}

async function problem(patterns: string[]): Promise<EtlError> {
  try {
    await names(patterns);
  } catch (error) {
    if (error instanceof EtlError) return error;
    throw error;
  }
  throw new Error('There was no error.');
}

describe('order', () => {
  it('is the natural order of paths inside a pattern', async () => {
    expect(await names(['day/*.csv'])).toEqual([
      'day/file1.csv',
      'day/file2.csv',
      'day/file10.csv',
    ]);
    expect(await names(['day/**/*.csv*'])).toEqual([
      'day/file1.csv',
      'day/file2.csv',
      'day/file10.csv',
      'day/more/file1.csv.gz',
    ]);
  });

  it('is the order of the patterns first', async () => {
    const patterns = ['day/file10.csv', 'day/file2.csv', 'day/file{1,2}.csv'];
    const expected = ['day/file10.csv', 'day/file2.csv', 'day/file1.csv'];
    expect(await names(patterns)).toEqual(expected);
    expect(await names(patterns, { order: 'listed' })).toEqual(expected);
    expect(await names(patterns, { order: 'mtime' })).toEqual(expected);
  });

  it('is by time of modification, then by name, where asked for', async () => {
    expect(await names(['day/**'], { order: 'mtime' })).toEqual([
      'day/file10.csv',
      'day/file1.csv',
      'day/more/file1.csv.gz',
      'day/file2.csv',
    ]);
  });

  it('counts a file once, in its first place', async () => {
    expect(await names(['day/file2.csv', './day/../day/file2.csv', 'day/*.csv'])).toEqual([
      'day/file2.csv',
      'day/file1.csv',
      'day/file10.csv',
    ]);
  });
});

describe('files', () => {
  it('have format and compression by their name', async () => {
    const files = await findFiles(['all/*.*'], { cwd, order: 'name' });
    expect(files.map(({ name, format, compression }) => [name, format, compression])).toEqual([
      ['all/D.PQ', 'parquet', 'none'],
      ['all/a.parquet', 'parquet', 'none'],
      ['all/b.tsv.zst', 'tsv', 'zstd'],
      ['all/c.txt', 'csv', 'none'],
    ]);
    expect(files[0]).toMatchObject({ path: path.join(cwd, 'all/D.PQ'), bytes: 4 });
    expect(files[0]?.mtimeMs).toBe(1_700_000_000_000);
  });

  it('have the format that the caller gives where the name tells none', async () => {
    const [file] = await findFiles(['all/data'], { cwd, order: 'name', format: 'tsv' });
    expect(file).toMatchObject({ format: 'tsv', compression: 'none' });
    const [known] = await findFiles(['all/c.txt'], { cwd, order: 'name', format: 'parquet' });
    expect(known).toMatchObject({ format: 'csv' });
  });

  it('are taken literally where they exist, else as a pattern', async () => {
    expect(await names(['odd/[1].csv'])).toEqual(['odd/[1].csv']);
    expect(await names(['odd/{a,b}.csv'])).toEqual(['odd/{a,b}.csv']);
    expect(await names(['odd/[0-9].csv'])).toEqual(['odd/1.csv']);
  });

  it('outside the working directory are called by their whole path', async () => {
    const inside = path.join(cwd, 'day');
    const file = path.join(cwd, 'odd/1.csv');
    expect(await names([file, 'file1.csv'], { cwd: inside })).toEqual([file, 'file1.csv']);
  });

  it('may be links', async () => {
    symlinkSync(path.join(cwd, 'odd/1.csv'), path.join(cwd, 'day/more/link.csv'));
    expect(await names(['day/more/*.csv'])).toEqual(['day/more/link.csv']);
  });

  it('may be many: as many as there are come back, in order', async () => {
    for (let index = 0; index < 300; index++) put(`many/${index}.csv`);
    const expected = Array.from({ length: 300 }, (_, index) => `many/${index}.csv`);
    expect(await names(['many/*'])).toEqual(expected);
  });
});

describe('problems', () => {
  it.each([
    ['no/such.csv', 'ETL_FILE_NOT_FOUND', `There is no folder ${path.join(cwd, 'no')} either.`],
    ['zzz.csv', 'ETL_FILE_NOT_FOUND', `It was looked for in ${cwd}.`],
    ['day/*.json', 'ETL_FILE_NOT_FOUND', 'No file matches the pattern.'],
    ['/no/such/*.csv', 'ETL_FILE_NOT_FOUND', 'Check the folder and the pattern.'],
    ['day', 'ETL_FILE_FORMAT', "It is a directory. Write 'day/**/*.csv' for the CSV files in it"],
    ['bad/empty.csv', 'ETL_FILE_EMPTY', 'The file is empty (0 bytes).'],
    ['bad/notes.md', 'ETL_FILE_FORMAT', 'Its name does not tell its format.'],
    ['bad/table.parquet.gz', 'ETL_FILE_FORMAT', 'compressed as a whole cannot be read'],
    ['/dev/null', 'ETL_FILE_FORMAT', 'It is not a regular file.'],
  ])('%s', async (pattern, code, sentence) => {
    const { message, record } = await problem([pattern]);
    expect(record.code).toBe(code);
    expect(message).toContain(`${pattern}: `);
    expect(message).toContain(sentence);
  });

  it('of a missing file name up to three that begin alike', async () => {
    const { message } = await problem(['bad/orders-202.csv']);
    expect(message).toContain('The folder has orders-2023.csv, orders-2024.csv, orders-2025.csv.');
  });

  it('come together, in the order of the patterns, at most twenty of them', async () => {
    const { record } = await problem(['bad/*', 'day/*.csv', 'nowhere.csv']);
    expect(record.code).toBe('ETL_FILE_EMPTY');
    expect(record.facts.problems).toEqual([
      expect.stringMatching(/^bad\/empty.csv: The file is empty/),
      expect.stringMatching(/^bad\/notes.md: /),
      expect.stringMatching(/^bad\/table.parquet.gz: /),
      expect.stringMatching(/^nowhere.csv: There is no such file/),
    ]);
    const missing = Array.from({ length: 25 }, (_, index) => `missing-${index}.csv`);
    const many = await problem(missing);
    expect(many.record.facts.problems).toHaveLength(21);
    expect(many.message).toContain('25 of the input files cannot be loaded');
    expect(many.record.facts.problems?.at(-1)).toBe('and 5 more');
  });
});
