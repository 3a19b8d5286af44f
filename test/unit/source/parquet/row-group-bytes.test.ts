import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, expect, test } from 'vitest';
import { describeParquet } from '../../../../src/source/parquet/describe-parquet.ts';
import { openParquet } from '../../../../src/source/parquet/open-parquet.ts';
import { nodesOf, readOpenParquet } from '../../../../src/source/parquet/read-batches.ts';
import type { SourceFile } from '../../../../src/source/source-file.ts';
import { scratchFolder } from '../../../support/craft-parquet.ts';

const folder = scratchFolder();
afterAll(() => folder.remove());

const ROWS = 300;
const GROUP = 100;
const WIDE = 'x'.repeat(20_000);

/** Row groups of 100 rows: three small columns around one of 2 MB. */
function write(name: string, wide: boolean): SourceFile {
  const numbers = Array.from({ length: ROWS }, (_, row) => row);
  const text = (row: number): string => (wide ? `${row} ${WIDE}` : `text ${row}`);
  return folder.write(
    name,
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'id', data: numbers, type: 'INT32' },
          { name: 'text', data: numbers.map(text), type: 'STRING' },
          { name: 'double', data: numbers.map((row) => row / 2), type: 'DOUBLE' },
          { name: 'day', data: numbers.map((row) => `day ${row}`), type: 'STRING' },
        ],
        rowGroupSize: GROUP,
        codec: 'UNCOMPRESSED',
      }),
    ),
  );
}

/** How often the file is read for these columns, and the rows of each row group. */
async function readsOf(file: SourceFile, names: readonly string[], reuse: boolean) {
  const description = await describeParquet(file);
  const parquet = await openParquet(file);
  let reads = 0;
  const counted: typeof parquet = {
    ...parquet,
    read: (...place) => {
      reads++;
      return parquet.read(...place);
    },
  };
  const rows: number[] = [];
  const nodes = nodesOf(parquet, names);
  for await (const batch of readOpenParquet(counted, description, nodes, { reuse }))
    rows.push(batch.rows);
  await parquet.close();
  return { reads, rows };
}

test.each([true, false])('a small row group is read at once (reuse: %s)', async (reuse) => {
  const file = write('small.parquet', false);
  const names = ['id', 'text', 'double', 'day'];
  const { reads, rows } = await readsOf(file, names, reuse);
  expect(rows).toEqual([GROUP, GROUP, GROUP]);
  expect(reads).toBe(3);
});

test('columns that lie far apart are read one by one', async () => {
  const { reads, rows } = await readsOf(write('wide.parquet', true), ['id', 'day'], true);
  expect(rows).toEqual([GROUP, GROUP, GROUP]);
  expect(reads).toBe(6);
});

test('a single column is read by itself', async () => {
  const { reads } = await readsOf(write('one.parquet', false), ['double'], true);
  expect(reads).toBe(3);
});
