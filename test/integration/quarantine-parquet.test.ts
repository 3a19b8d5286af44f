import { parquetWriteBuffer } from 'hyparquet-writer';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { load } from '../support/load.ts';
import { readRejects } from '../support/rejects.ts';
import { useScene } from '../support/scene.ts';

/** Bad rows of Parquet files: what the encoder refuses, COPY, the casts of staging, and the table. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, name varchar(5) not null,
                day date, amount int check (amount >= 0))`,
);

const ROWS = 60;

interface BadRow {
  readonly row: number;
  readonly column: 'id' | 'name' | 'day' | 'amount';
  readonly value: bigint | number | string | null;
  readonly sqlState: string;
  readonly reason: string;
}

const BAD: readonly BadRow[] = [
  { row: 3, column: 'id', value: 3_000_000_000n, sqlState: '', reason: '3000000000' },
  { row: 11, column: 'id', value: null, sqlState: '23502', reason: 'null value in column "id"' },
  {
    row: 12,
    column: 'name',
    value: null,
    sqlState: '23502',
    reason: 'null value in column "name"',
  },
  { row: 29, column: 'name', value: 'too long', sqlState: '22001', reason: 'value too long' },
  { row: 30, column: 'name', value: 'n\0', sqlState: '22021', reason: '0x00' },
  { row: 41, column: 'day', value: 'Tuesday', sqlState: '22007', reason: '"Tuesday"' },
  { row: 42, column: 'day', value: '2024-02-30', sqlState: '22008', reason: '2024-02-30' },
  { row: 60, column: 'amount', value: -1, sqlState: '23514', reason: 'check constraint' },
];

function file(bad: readonly BadRow[]): Buffer {
  const column = <T>(name: BadRow['column'], good: (row: number) => T): T[] =>
    Array.from({ length: ROWS }, (_, at) => {
      const own = bad.find((one) => one.row === at + 1 && one.column === name);
      return own === undefined ? good(at + 1) : (own.value as unknown as T);
    });
  const columnData = [
    { name: 'id', data: column('id', (row) => BigInt(row)), type: 'INT64' as const },
    { name: 'name', data: column('name', (row) => `n${row}`), type: 'STRING' as const },
    { name: 'day', data: column('day', () => '2024-02-29'), type: 'STRING' as const },
    { name: 'amount', data: column('amount', (row) => row), type: 'INT32' as const },
  ];
  return Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 20 }));
}

test.each([
  ['full-parallel', 1_000_000],
  ['sequential', 1_000_000],
  ['partitioned', 1_000_000],
  // Each row group is a part.
  ['partitioned', 1],
] as const)('%s, parts of at least %i bytes', async (strategy, partBytesMin) => {
  await scene.write({ 'a.parquet': file(BAD) });
  const job = {
    settings: { onError: 'quarantine' as const, subBatchSize: 7, concurrency: 2, chunkSize: 20 },
    loads: [{ table: scene.table, files: ['a.parquet'], strategy }],
  };
  const { report } = await load(scene.db.url, job, { cwd: scene.folder, partBytesMin });
  expect([report.status, report.error]).toEqual(['rejected-rows', null]);
  const kept = ROWS - BAD.length;
  expect(report.loads[0]?.totals).toMatchObject({
    rowsRead: ROWS,
    inserted: kept,
    rejected: BAD.length,
  });
  const rejects = await readRejects(join(scene.folder, 'rejects', 'a.parquet.rejects.csv'));
  expect(rejects.map((row) => [row['etl_line'], row['etl_column'], row['etl_sqlstate']])).toEqual(
    BAD.map(({ row, column, sqlState }) => [String(row), column, sqlState]),
  );
  for (const [at, { column, value, reason }] of BAD.entries()) {
    expect(rejects[at]?.['etl_reason']).toContain(reason);
    const shown = value === null ? null : String(value);
    expect(JSON.parse(rejects[at]?.['etl_raw'] ?? '')).toMatchObject({ [column]: shown });
    expect(rejects[at]?.[column]).toBe(shown ?? '');
  }
  const [count] = await scene.db.query(`select count(*)::int as n from ${scene.table}`);
  expect(count).toEqual({ n: kept });
});

test('append: the direct COPY is taken back, and the rest is staged', async () => {
  await scene.write({ 'a.parquet': file(BAD.slice(3, 5)) });
  const job = {
    settings: { onError: 'quarantine' as const },
    loads: [{ table: scene.table, files: ['a.parquet'], onConflict: 'append' as const }],
  };
  const { report } = await load(scene.db.url, job, { cwd: scene.folder });
  expect(report.loads[0]?.totals).toMatchObject({ inserted: ROWS - 2, rejected: 2 });
});
