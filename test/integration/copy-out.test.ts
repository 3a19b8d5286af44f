import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Connection } from '../../src/target/connect.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTcpProxy, type ProxyOptions } from '../support/tcp-proxy.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.query(`
    create function told(place int) returns text language plpgsql as $$
      begin
        if place % 1000 = 0 then
          raise notice 'row %', place;
          perform set_config('application_name', 'row ' || place, false);
        end if;
        return place::text;
      end $$`);
});

afterAll(async () => {
  await db.drop();
});

async function through<T>(
  options: ProxyOptions | null,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const proxy = options === null ? null : await openTcpProxy(db.url, options);
  const connection = await connect({
    databaseUrl: proxy?.url ?? db.url,
    applicationName: 'etl test',
    connectTimeoutMs: 10_000,
    session: {},
  });
  try {
    return await work(connection);
  } finally {
    await connection.end();
    await proxy?.close();
  }
}

interface Received {
  readonly bytes: number;
  readonly md5: string;
}

/** Each row is told to end where its line does. */
async function received(
  connection: Connection,
  sql: string,
  onPiece: () => void = () => undefined,
): Promise<Received> {
  const hash = createHash('md5');
  let bytes = 0;
  let wholeRows = true;
  await connection.copyOut(`copy (${sql}) to stdout`, (chunk, from, to, ends) => {
    const piece = chunk.subarray(from, to);
    hash.update(piece);
    bytes += piece.length;
    const end = piece.indexOf(10);
    wholeRows &&= ends ? end === piece.length - 1 : end === -1;
    onPiece();
  });
  expect(wholeRows).toBe(true);
  return { bytes, md5: hash.digest('hex') };
}

/** The same, made by the server of one text. */
async function expected(sql: string): Promise<Received> {
  const [row] = await db.query(
    `select octet_length(all_rows)::int as bytes, md5(all_rows) as md5
       from (select coalesce(string_agg(line || E'\\n', '' order by place), '') as all_rows
               from (${sql}) of (place, line)) of`,
  );
  return row as unknown as Received;
}

const ROWS: readonly (readonly [string, number, string])[] = [
  ['no row', 0, `'x'`],
  ['empty rows', 5_000, `''`],
  ['short rows', 200_000, 'place::text'],
  ['rows of all lengths', 3_000, `repeat('y', place)`],
  ['rows larger than any read', 5, `repeat(place::text, 3000000)`],
];

describe.each(ROWS)('%s', (_, rows, line) => {
  const all = `select place, ${line} from generate_series(1, ${rows}) place`;
  const lines = `select ${line} from generate_series(1, ${rows}) place`;

  it('come as they are, and the connection serves on', async () => {
    await through(null, async (connection) => {
      expect(await received(connection, lines)).toEqual(await expected(all));
      expect(await connection.query('select 7 as seven')).toEqual([{ seven: 7 }]);
      expect(await received(connection, lines)).toEqual(await expected(all));
    });
  });
});

const SOME = `select told(place) from generate_series(1, 5000) place`;
const SOME_OF_ALL = `select place, place::text from generate_series(1, 5000) place`;

it.each<[string, ProxyOptions]>([
  ['every byte is a packet of its own', { singleBytes: true }],
  ['every packet comes late', { delayMs: 1 }],
])('with notices and settings between the rows, where %s', async (_, options) => {
  await through(options, async (connection) => {
    expect(await received(connection, SOME)).toEqual(await expected(SOME_OF_ALL));
    expect(await connection.query('select 7 as seven')).toEqual([{ seven: 7 }]);
  });
});

it('tells what its reader throws, once, and the connection serves on', async () => {
  const lines = `select repeat('z', 1000) from generate_series(1, 5000) place`;
  let pieces = 0;
  const reader = (): void => {
    pieces += 1;
    throw new Error('enough');
  };
  await through(null, async (connection) => {
    await expect(received(connection, lines, reader)).rejects.toThrow('enough');
    expect(pieces).toBe(1);
    expect(await connection.query('select 7 as seven')).toEqual([{ seven: 7 }]);
  });
});

it.each([
  ['at once', 'select nothing from nowhere', '42P01'],
  ['behind rows', 'select 1 / (100000 - place) from generate_series(1, 100000) place', '22012'],
])('tells what the server refuses %s, and the connection serves on', async (_, sql, code) => {
  await through(null, async (connection) => {
    await expect(received(connection, sql)).rejects.toMatchObject({
      record: { facts: { sqlState: code } },
    });
    expect(await connection.query('select 7 as seven')).toEqual([{ seven: 7 }]);
  });
});

it('tells that the line was lost between rows', async () => {
  await through(null, async (connection) => {
    let rows = 0;
    const terminate = (): void => {
      rows += 1;
      if (rows === 1) void db.query('select pg_terminate_backend($1)', [connection.pid]);
    };
    const endless = `select repeat('z', 1000) from generate_series(1, 10000000) place`;
    await expect(received(connection, endless, terminate)).rejects.toThrow();
    await expect.poll(() => connection.usable()).toBe(false);
  });
});
