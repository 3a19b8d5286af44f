import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleFiles } from '../../../benchmarks/tune/sample-files.ts';
import type { FilePlan } from '../../../src/plan/plan-types.ts';
import { filePlan, loadPlan } from '../report/fixtures.ts';

/** Records of ten bytes, every other one with a line end inside of quotes. */
const RECORDS = Array.from({ length: 200 }, (_, row) =>
  row % 2 === 0
    ? `${String(row).padStart(4, '0')},abcd\n`
    : `${String(row).padStart(4, '0')},"\n,"\n`,
);

describe('the sample of a load', () => {
  let folder: string;
  let target: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etl-sample-'));
    target = await mkdtemp(join(tmpdir(), 'etl-sampled-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
    await rm(target, { recursive: true });
  });

  async function file(
    ordinal: number,
    name: string,
    content: string | Buffer,
    change: Partial<FilePlan> = {},
  ): Promise<FilePlan> {
    const path = join(folder, name);
    await writeFile(path, content);
    const { size, mtimeMs } = await stat(path);
    return filePlan(ordinal, { path, name, bytes: size, mtimeMs, ...change });
  }

  async function sampled(files: readonly FilePlan[], bytesMax: number) {
    return sampleFiles(loadPlan({ files }), bytesMax, target, undefined);
  }

  test('takes small files as they are, without a copy', async () => {
    const files = [await file(0, 'a.csv', 'id,total\n1,2\n'), await file(1, 'b.csv', 'id,total\n')];
    expect(await sampled(files, 1_000)).toEqual({
      paths: files.map(({ path }) => path),
      bytes: 22,
      notices: [],
    });
  });

  test('cuts a large one at the end of a record, wherever the limit falls', async () => {
    const text = `id,total\n${RECORDS.join('')}`;
    const one = await file(0, 'a.csv', text);
    for (let bytesMax = 20; bytesMax < 60; bytesMax += 1) {
      const { paths, bytes, notices } = await sampled([one], bytesMax);
      const cut = await readFile(paths[0] ?? '', 'utf8');
      expect(bytes).toBeLessThanOrEqual(bytesMax);
      expect(bytesMax - bytes).toBeLessThan(10);
      expect(cut).toBe(`id,total\n${RECORDS.slice(0, Math.floor((bytes - 9) / 10)).join('')}`);
      expect(notices).toEqual([
        `app.orders: the sample has ${bytes} bytes of 2.0 kB, from 1 of 1 file.`,
      ]);
    }
  });

  test('cuts a gzipped file by its text, and gzips it again', async () => {
    const text = `id,total\n${RECORDS.join('')}`;
    const packed = await file(3, 'a.csv.gz', gzipSync(text), { compression: 'gzip' });
    const { paths } = await sampled([packed], 500);
    expect(basename(paths[0] ?? '')).toBe('3-a.csv.gz');
    const cut = gunzipSync(await readFile(paths[0] ?? '')).toString();
    expect(cut).toBe(text.slice(0, 499));
  });

  test('takes files at even distances, in their order', async () => {
    const files = await Promise.all(
      Array.from({ length: 10 }, (_, place) => file(place, `${place}.csv`, 'id,total\n12,34\n')),
    );
    const { paths, notices } = await sampled(files, 75);
    expect(paths.map((path) => basename(path))).toEqual([
      '0.csv',
      '2.csv',
      '4.csv',
      '6.csv',
      '8.csv',
    ]);
    expect(notices).toEqual([
      'app.orders: the sample has 75 bytes of 150 bytes, from 5 of 10 files.',
    ]);
  });

  test('takes pieces of many large files rather than much of a few', async () => {
    const text = `id,total\n${'12345,1234567890\n'.repeat(12_000)}`;
    const files = await Promise.all([0, 1, 2, 3].map((place) => file(place, `${place}.csv`, text)));
    const { paths, bytes } = await sampled(files, 280_000);
    expect(paths.map((path) => basename(path))).toEqual([
      '0-0.csv',
      '1-1.csv',
      '2-2.csv',
      '3-3.csv',
    ]);
    expect(bytes).toBeLessThanOrEqual(280_000);
    expect(bytes).toBeGreaterThan(279_000);
  });

  test('leaves out a large file that cannot be cut, but not the only one', async () => {
    const parquet = {
      format: 'parquet',
      description: { kind: 'parquet', columns: [], rows: 9, rowGroups: [], createdBy: null },
    } as const;
    const large = await file(0, 'a.parquet', 'x'.repeat(5_000), parquet);
    const small = await file(1, 'b.parquet', 'x'.repeat(100), parquet);
    const both = await sampled([large, small], 2_000);
    expect(both.paths).toEqual([small.path]);
    expect(both.notices.join(' ')).toContain('1 chosen file could not be cut');
    expect((await sampled([large], 2_000)).paths).toEqual([large.path]);
  });
});
