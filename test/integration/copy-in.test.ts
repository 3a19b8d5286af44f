import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type Connection } from '../../src/target/connect.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  db = await createTestDatabase();
  connection = await connect({
    databaseUrl: db.url,
    applicationName: 'etl test',
    connectTimeoutMs: 10_000,
    session: {},
  });
});

afterAll(async () => {
  await connection.end();
  await db.drop();
});

/**
 * What reads Parquet encodes into the same memory again and again. The chunks are from the smallest
 * for which that is done up to more than any socket takes at once.
 */
it.each([128 * 1024, 1024 * 1024, 12 * 1024 * 1024])(
  'has a chunk of %i bytes sent before it asks for the next',
  async (bytes) => {
    await connection.query('create temp table if not exists lines (line text)');
    await connection.query('truncate lines');
    const chunks = 6;
    const memory = Buffer.alloc(bytes);
    const letter = (chunk: number): string => String.fromCharCode(97 + chunk);
    async function* overwritten(): AsyncGenerator<Buffer> {
      for (let chunk = 0; chunk < chunks; chunk++) {
        memory.fill(`${letter(chunk).repeat(63)}\n`);
        yield memory;
        memory.fill('?');
      }
    }
    const rows = await connection.copyIn('copy lines from stdin', overwritten());
    expect(rows).toBe((chunks * bytes) / 64);
    const counts = await connection.query(
      'select line, count(*)::int as rows from lines group by line order by line',
    );
    const all = Array.from({ length: chunks }, (_, chunk) => ({
      line: letter(chunk).repeat(63),
      rows: bytes / 64,
    }));
    expect(counts).toEqual(all);
  },
);
