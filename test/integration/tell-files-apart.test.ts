import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from '../../src/target/connect.ts';
import { createStaging, setStagedFile, type StagingTable } from '../../src/target/staging.ts';
import { tellFilesApart } from '../../src/target/tell-files-apart.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  db = await createTestDatabase();
  const options = { applicationName: 'apart', connectTimeoutMs: 10_000, session: {} };
  connection = await connect({ databaseUrl: db.url, ...options });
});
afterAll(async () => {
  await connection.end();
  await db.drop();
});

const column = { sqlType: 'text', collation: null, notNull: true, target: 'v', cast: null };
const table: StagingTable = {
  sqlName: 'pg_temp.etl_apart',
  kind: 'temp',
  fileColumn: true,
  columns: [{ name: 'c0', ...column }],
};

test('rows of one COPY are told apart by their order, though their numbers have gaps', async () => {
  async function* lines(...values: readonly string[]): AsyncGenerator<Buffer> {
    yield Buffer.from(values.map((value) => `${value}\n`).join(''));
  }
  const sql = `copy ${table.sqlName} (c0) from stdin`;
  await createStaging(connection, table, 3);
  await connection.copyIn(sql, lines('3'));
  await setStagedFile(connection, table, 4);
  // Takes numbers, and leaves nothing.
  await expect(connection.copyIn(sql, lines('x', 'x', '\\N'))).rejects.toThrow();
  await connection.copyIn(sql, lines('5', '5', '7', '8', '8', '8'));
  await setStagedFile(connection, table, 9);
  await connection.copyIn(sql, lines('9', '9'));
  const files = [
    { ordinal: 4, rows: 0 },
    { ordinal: 5, rows: 2 },
    { ordinal: 6, rows: 0 },
    { ordinal: 7, rows: 1 },
    { ordinal: 8, rows: 3 },
  ];
  await tellFilesApart(connection, table, files);
  const wrong = await connection.query(`select * from ${table.sqlName} where etl_file::text <> c0`);
  expect(wrong).toEqual([]);
  const [range] = await connection.query(
    `select min(etl_row)::int as min, max(etl_row)::int as max, count(*)::int as n from ${table.sqlName}`,
  );
  expect(range).toEqual({ min: 1, max: 12, n: 9 });
});
