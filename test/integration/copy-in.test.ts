import { afterAll, beforeAll, expect, it } from 'vitest';
import { present } from '../../src/assert.ts';
import { connect, type Connection } from '../../src/target/connect.ts';
import { singlyCopySql } from '../../src/target/copy-sql.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  db = await createTestDatabase();
  connection = await connected();
});

function connected(): Promise<Connection> {
  return connect({
    databaseUrl: db.url,
    applicationName: 'etl test',
    connectTimeoutMs: 10_000,
    session: {},
  });
}

afterAll(async () => {
  await connection.end();
  await db.drop();
});

/**
 * Who reads CSV reads into the same memory again and again, and who reads Parquet encodes into it. The
 * chunks are from what may be left of one where a record is mended up to more than any socket takes at once.
 */
const SIZES = [64, 8 * 1024, 16 * 1024, 128 * 1024, 1024 * 1024, 12 * 1024 * 1024];
it.each([
  ...SIZES.map((bytes) => ({ bytes, what: 'the next', ahead: false })),
  ...SIZES.map((bytes) => ({ bytes, what: 'the next but one', ahead: true })),
])('needs no byte of a chunk of $bytes bytes once it asks for $what', async ({ bytes, ahead }) => {
  await connection.query('create temp table if not exists lines (line text)');
  await connection.query('truncate lines');
  const chunks = 6;
  const memories = [Buffer.alloc(bytes), Buffer.alloc(bytes)] as const;
  const letter = (chunk: number): string => String.fromCharCode(97 + chunk);
  async function* overwritten(): AsyncGenerator<Buffer> {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const [memory, before] = chunk % 2 === 0 ? memories : memories.toReversed();
      memory.fill(`${letter(chunk).repeat(63)}\n`);
      yield present(memory, 'the memory of a chunk');
      (ahead ? before : memory).fill('?');
    }
  }
  const rows = await connection.copyIn('copy lines from stdin', overwritten(), { ahead });
  expect(rows).toBe((chunks * bytes) / 64);
  const counts = await connection.query(
    'select line, count(*)::int as rows from lines group by line order by line',
  );
  const all = Array.from({ length: chunks }, (_, chunk) => ({
    line: letter(chunk).repeat(63),
    rows: bytes / 64,
  }));
  expect(counts).toEqual(all);
});

it('asks for the next chunk while one is sent where that is wanted', async () => {
  const other = await connected();
  await other.query('select pg_advisory_lock(7)');
  await connection.query(`create table waiting (line text);
    create function wait() returns trigger language plpgsql as
      'begin perform pg_advisory_xact_lock(7); return new; end';
    create trigger wait before insert on waiting for each statement execute function wait()`);
  const chunk = Buffer.from(`${'a'.repeat(63)}\n`.repeat(200_000));
  async function* chunks(): AsyncGenerator<Buffer> {
    yield chunk;
    // No socket holds a chunk of this size, and the server takes none of it until then.
    await other.query('select pg_advisory_unlock(7)');
    yield chunk;
  }
  expect(await connection.copyIn('copy waiting from stdin', chunks(), { ahead: true })).toBe(
    400_000,
  );
  await other.end();
});

it('has large rows written as they come where that is wanted', async () => {
  const other = await connected();
  await connection.query(
    'create table pages (page text); alter table pages alter page set storage external',
  );
  const row = binaryRow(Buffer.alloc(20_000, 'a'));
  async function* chunks(): AsyncGenerator<Buffer> {
    yield Buffer.concat([BINARY_HEADER, ...Array.from({ length: 10 }, () => row)]);
    await expect.poll(() => bytesOf(other, 'pages')).toBeGreaterThan(100_000);
    yield Buffer.concat([row, BINARY_TRAILER]);
  }
  const sql = singlyCopySql('pages', ['page'], `page <> ''`);
  await expect(connection.copyIn(sql, chunks())).resolves.toBe(11);
  await other.end();
});

async function bytesOf(from: Connection, table: string): Promise<number> {
  const [row] = await from.query(
    'select pg_total_relation_size($1::text::regclass)::int8 as bytes',
    [table],
  );
  return Number(row?.['bytes']);
}

const BINARY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const BINARY_TRAILER = Buffer.from([0xff, 0xff]);

/** One row of one value. */
function binaryRow(value: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeInt16BE(1, 0);
  head.writeInt32BE(value.length, 2);
  return Buffer.concat([head, value]);
}

it('throws what the source throws while a chunk is still being sent', async () => {
  await connection.query('create temp table if not exists sent (line text)');
  async function* torn(): AsyncGenerator<Buffer> {
    await Promise.resolve();
    yield Buffer.alloc(12 * 1024 * 1024, `${'a'.repeat(63)}\n`);
    throw new Error('the disk is gone');
  }
  const copied = connection.copyIn('copy sent from stdin', torn(), { ahead: true });
  await expect(copied).rejects.toThrow('the disk is gone');
  expect(await connection.query('select count(*)::int as rows from sent')).toEqual([{ rows: 0 }]);
});

async function* linesThen(end: () => void): AsyncGenerator<Buffer> {
  for (let chunk = 0; chunk < 3; chunk++) yield Buffer.from('1\n2\n');
  end();
}

it('throws what the source throws, and the connection is of use again', async () => {
  await connection.query('create temp table if not exists numbers (n int)');
  const torn = linesThen(() => {
    throw new Error('the disk is gone');
  });
  await expect(connection.copyIn('copy numbers from stdin', torn)).rejects.toThrow(
    'the disk is gone',
  );
  expect(
    await connection.copyIn(
      'copy numbers from stdin',
      linesThen(() => undefined),
    ),
  ).toBe(6);
  expect(await connection.query('select count(*)::int as rows from numbers')).toEqual([
    { rows: 6 },
  ]);
});

it('asks the source for no more once the server has refused a row', async () => {
  await connection.query('create temp table if not exists numbers (n int)');
  let asked = 0;
  let left = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        asked += 1;
        yield Buffer.from(`${asked < 3 ? '1' : 'one'}\n`.repeat(100_000));
      }
    } finally {
      left = true;
    }
  }
  const refused = connection.copyIn('copy numbers from stdin', endless());
  await expect(refused).rejects.toMatchObject({
    record: { facts: { sqlState: '22P02' } },
  });
  expect(left).toBe(true);
  expect(await connection.query('select 1 as one')).toEqual([{ one: 1 }]);
});

it('throws the refusal of a COPY that the server does not begin', async () => {
  const refused = connection.copyIn(
    'copy nowhere from stdin',
    linesThen(() => undefined),
  );
  await expect(refused).rejects.toMatchObject({ record: { facts: { sqlState: '42P01' } } });
  expect(await connection.query('select 1 as one')).toEqual([{ one: 1 }]);
});

it('ends where the line is lost', async () => {
  const other = await connected();
  await other.query('create temp table numbers (n int)');
  async function* cut(): AsyncGenerator<Buffer> {
    yield Buffer.from('1\n'.repeat(1_000_000));
    other.destroy();
    for (;;) yield Buffer.from('2\n'.repeat(1_000_000));
  }
  await expect(other.copyIn('copy numbers from stdin', cut())).rejects.toMatchObject({
    record: { code: 'ETL_CONNECTION' },
  });
  expect(other.usable()).toBe(false);
});
