import { describe, expect, it } from 'vitest';
import { describeFile } from '../../../src/source/describe.ts';
import { sampleFile } from '../../../src/source/sample.ts';
import { csvOptions, sourceOf, temporaryFolder, writeSource } from './temporary-files.ts';

const folder = temporaryFolder();
const flights = new URL(
  '../../../node_modules/vega-datasets/data/flights-3m.parquet',
  import.meta.url,
).pathname;

describe('one door for all formats', () => {
  it('describes and samples CSV', async () => {
    const file = writeSource(folder, 'door.tsv', 'a\tb\tc\n1\t2\t3\n4\t\t6\n');
    const description = await describeFile(file, csvOptions());
    expect(description).toMatchObject({ kind: 'csv', columns: ['a', 'b', 'c'] });
    const all = await sampleFile(file, description, { rowsMax: 10, seed: 1 });
    expect(all.rows).toEqual([
      ['1', '2', '3'],
      ['4', null, '6'],
    ]);
    const some = await sampleFile(file, description, { rowsMax: 10, seed: 1, columns: ['c', 'b'] });
    expect(some).toEqual({
      ...all,
      columns: ['c', 'b'],
      rows: [
        ['3', '2'],
        ['6', null],
      ],
    });
    await expect(
      sampleFile(file, description, { rowsMax: 10, seed: 1, columns: ['d'] }),
    ).rejects.toMatchObject({ code: 'ETL_INTERNAL' });
  });

  it('describes and samples Parquet', async () => {
    const file = sourceOf(flights);
    const description = await describeFile(file, csvOptions());
    expect(description).toMatchObject({ kind: 'parquet', rows: 3_000_000 });
    const names = description.columns.map((column) =>
      typeof column === 'string' ? column : column.name,
    );
    const columns = names.slice(0, 1);
    const sample = await sampleFile(file, description, { rowsMax: 50, seed: 1, columns });
    expect(sample).toMatchObject({ columns, fileRows: 3_000_000, fileRowsExact: true });
    expect(sample.rows.length).toBeGreaterThan(0);
    expect(sample.rows.length).toBeLessThanOrEqual(50);
  });
});
