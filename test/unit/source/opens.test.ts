import { syncBuiltinESMExports } from 'node:module';
import fs from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { newHeaders } from '../../../src/source/csv/describe-csv.ts';
import { describeFile } from '../../../src/source/describe.ts';
import { sampleFile } from '../../../src/source/sample.ts';
import { csvOptions, temporaryFolder, writeSource } from './temporary-files.ts';

const folder = temporaryFolder();

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it('opens a small file once to describe it and once to sample it, and streams none', async () => {
  const files = Array.from({ length: 50 }, (_, file) =>
    writeSource(folder, `${file}.csv`, `id,name\n${`${file},"a, b"\n`.repeat(100)}`),
  );
  const opened = [
    vi.spyOn(fs.promises, 'open'),
    vi.spyOn(fs, 'openSync'),
    vi.spyOn(fs, 'createReadStream'),
  ];
  syncBuiltinESMExports();
  const headers = newHeaders();
  for (const file of files) {
    const description = await describeFile(file, csvOptions(), headers);
    const sample = await sampleFile(file, description, { rowsMax: 40, seed: 1, columns: ['id'] });
    expect(sample).toMatchObject({ fileRows: 100, fileRowsExact: true, complete: false });
    expect(sample.rows).toHaveLength(40);
  }
  expect(opened.map((spy) => spy.mock.calls.length)).toEqual([50, 50, 0]);
  expect(headers.size).toBe(1);
});
