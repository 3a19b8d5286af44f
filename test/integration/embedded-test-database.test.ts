import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import pg from 'pg';
import {
  type TestDatabase,
  createTestDatabase,
  databaseUrlOf,
  expectNoLeaks,
  serverUrl,
} from '../support/database.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(() => db.drop());

test('a test database answers under its own name and is gone after drop', async () => {
  const other = await createTestDatabase();
  expect(await other.query('select current_database() as name, $1::int as n', [3])).toEqual([
    { name: other.name, n: 3 },
  ]);
  expect(other.name).not.toBe(db.name);
  const client = await other.client();
  await client.query(`begin; create table t (a int); prepare transaction 'left'`);
  await other.drop();
  const found = await db.query('select from pg_database where datname = $1', [other.name]);
  expect(found).toEqual([]);
});

test('databaseUrlOf keeps everything but the database', () => {
  expect(serverUrl()).toBe(inject('databaseUrl'));
  expect(databaseUrlOf('postgresql://postgres@/etl?host=/a b/s', 'x')).toBe(
    'postgresql://postgres@/x?host=/a b/s',
  );
  expect(databaseUrlOf('postgres://u:p@h:5432', 'x')).toBe('postgres://u:p@h:5432/x');
  expect(() => databaseUrlOf('host=h', 'x')).toThrow('Not a PostgreSQL URL');
});

describe('expectNoLeaks', () => {
  test('is content with a database in which only the test itself works', async () => {
    const client = await db.client();
    await client.query('begin');
    await db.query('create table t (a int)');
    await db.query('select pg_advisory_lock(1)');
    await expectNoLeaks(db.url);
  });

  test('waits for a session that is about to end', async () => {
    const client = new pg.Client({ connectionString: db.url, application_name: 'etl worker' });
    await client.connect();
    const [checked] = await Promise.allSettled([expectNoLeaks(db.url), client.end()]);
    expect(checked.status).toBe('fulfilled');
  });

  const leaks: [string, (client: pg.Client) => Promise<unknown>][] = [
    ['session', async () => undefined],
    ['advisory lock 0/77', (client) => client.query('select pg_advisory_lock(77)')],
    [
      'prepared transaction half',
      (client) => client.query(`begin; create table t (a int); prepare transaction 'half'`),
    ],
    ['table pg_temp', (client) => client.query('create temp table staged (a int)')],
    [
      'table etl.staging_x_1',
      (client) => client.query('create schema etl; create unlogged table etl.staging_x_1 (a int)'),
    ],
  ];
  test.for(leaks)('finds a %s', async ([what, leak]) => {
    const client = new pg.Client({ connectionString: db.url, application_name: 'etl worker' });
    await client.connect();
    await leak(client);
    const failure = await expectNoLeaks(db.url, 'etl', 3).catch((error: unknown) => error);
    await client.end();
    expect(String(failure)).toContain(what);
  });
});
