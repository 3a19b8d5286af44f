import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CsvOptions } from '../../../../src/job/schema.ts';
import { sampleCsv } from '../../../../src/source/csv/sample-csv.ts';
import type { SampleOptions } from '../../../../src/source/csv/sample-csv.ts';
import type { FileSample } from '../../../../src/source/source-file.ts';
import { described, temporaryFolder, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();
const rowsInAll = 60_000;
const content = `id,name,note\n${Array.from(
  { length: rowsInAll },
  (_, index) => `${index},name of ${index},${index % 3 === 0 ? '' : '"a, b"'}\n`,
).join('')}`;

async function sampled(
  name: string,
  text: string | Buffer,
  sample: Partial<SampleOptions> = {},
  options: Partial<CsvOptions> = {},
): Promise<FileSample> {
  const file = writeSource(folder, name, text);
  const description = await described(file, options);
  return sampleCsv(file, description, { rowsMax: 1000, bytesMax: 200_000, seed: 7, ...sample });
}

const ids = (sample: FileSample): number[] => sample.rows.map(([id]) => Number(id));

/** Every row is a whole row of the file, in its order. */
function expectWholeRows(sample: FileSample): void {
  for (const [id, name, note] of sample.rows) {
    expect([name, note]).toEqual([`name of ${id}`, Number(id) % 3 === 0 ? null : 'a, b']);
  }
  const found = ids(sample);
  expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
}

describe('a small file', () => {
  it('is read whole', async () => {
    expect(await sampled('small.csv', 'a,b\n1,\n"",x\n')).toEqual({
      columns: ['a', 'b'],
      rows: [
        ['1', null],
        ['', 'x'],
      ],
      fileRows: 2,
      fileRowsExact: true,
      complete: true,
    });
  });

  it('has no rows where there is a header only', async () => {
    expect(await sampled('header.csv', 'a,b')).toMatchObject({
      rows: [],
      fileRows: 0,
      complete: true,
    });
  });

  it('is counted exactly where it has more rows than wanted', async () => {
    const sample = await sampled('counted.csv', content, { bytesMax: 1 << 23 });
    expect(sample).toMatchObject({ fileRows: rowsInAll, fileRowsExact: true, complete: false });
    expect(sample.rows.length).toBeGreaterThan(900);
    expect(sample.rows.length).toBeLessThanOrEqual(1000);
    expectWholeRows(sample);
  });

  it('leaves out rows that do not fit, and then is not complete', async () => {
    const sample = await sampled('bad.csv', 'a,b\n1,2\n3\n4,5,6\n7,8\n');
    expect(sample).toMatchObject({ fileRows: 4, complete: false });
    expect(sample.rows).toEqual([
      ['1', '2'],
      ['7', '8'],
    ]);
  });

  it('survives a quote that is never closed', async () => {
    const sample = await sampled('open.csv', 'a,b\n1,2\n3,"4\n5,6\n');
    expect(sample.rows).toEqual([['1', '2']]);
  });
});

describe('a large file', () => {
  it('gives up head, tail and places all over', async () => {
    const sample = await sampled('large.csv', content);
    expect(sample).toMatchObject({ fileRowsExact: false, complete: false });
    expect(Math.abs(sample.fileRows / rowsInAll - 1)).toBeLessThan(0.05);
    expectWholeRows(sample);
    const found = ids(sample);
    expect(found[0]).toBe(0);
    expect(found.at(-1)).toBe(rowsInAll - 1);
    for (let tenth = 0; tenth < 10; tenth++) {
      const inTenth = found.filter((id) => Math.floor((10 * id) / rowsInAll) === tenth);
      expect(inTenth.length).toBeGreaterThan(30);
    }
  });

  it('is the same for the same seed, another for another', async () => {
    const first = await sampled('seed.csv', content);
    expect(await sampled('seed.csv', content)).toEqual(first);
    expect(ids(await sampled('seed.csv', content, { seed: 8 }))).not.toEqual(ids(first));
  });

  it('takes as many rows as wanted, few or one', async () => {
    expect((await sampled('few.csv', content, { rowsMax: 10 })).rows).toHaveLength(10);
    expect(ids(await sampled('one.csv', content, { rowsMax: 1 }))).toEqual([0]);
  });

  it('finds its way with CR LF, CR and Latin-1', async () => {
    const crlf = await sampled('crlf.csv', content.replaceAll('\n', '\r\n'));
    expectWholeRows(crlf);
    const cr = await sampled('cr.csv', content.replaceAll('\n', '\r'));
    expectWholeRows(cr);
    expect(ids(cr).at(-1)).toBe(rowsInAll - 1);
    const latin1 = Buffer.from(content.replaceAll('name of', 'größe'), 'latin1');
    const sample = await sampled('latin1.csv', latin1, {}, { encoding: 'latin1' });
    expect(sample.rows.at(-1)?.[1]).toBe(`größe ${rowsInAll - 1}`);
  });

  it('keeps only whole rows where blocks begin inside quotes', async () => {
    const text = content.replaceAll('a, b', 'a\nb');
    const sample = await sampled('inside.csv', text);
    expect(sample.rows.length).toBeGreaterThan(800);
    for (const [id, name] of sample.rows) expect(name).toBe(`name of ${id}`);
  });
});

describe('a file that gives up its head only', () => {
  it('is a compressed one; its rows are estimated by the ratio', async () => {
    const sample = await sampled('head.csv.gz', gzipSync(content));
    expect(sample).toMatchObject({ fileRowsExact: false, complete: false });
    expectWholeRows(sample);
    expect(sample.fileRows).toBeGreaterThan(rowsInAll / 2);
    expect(sample.fileRows).toBeLessThan(rowsInAll * 2);
  });

  it('is counted exactly where it is small', async () => {
    const sample = await sampled('whole.csv.gz', gzipSync(content), { bytesMax: 1 << 23 });
    expect(sample).toMatchObject({ fileRows: rowsInAll, fileRowsExact: true });
    expectWholeRows(sample);
  });

  it('is one of UTF-16', async () => {
    const utf16 = Buffer.from(`\ufeff${content}`, 'utf16le');
    const sample = await sampled('utf16.csv', utf16, {}, { encoding: 'utf16le' });
    expectWholeRows(sample);
    expect(Math.abs(sample.fileRows / rowsInAll - 1)).toBeLessThan(0.2);
  });
});
