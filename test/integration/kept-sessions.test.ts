import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Connection, ConnectOptions } from '../../src/target/connect.ts';
import { createKeptSessions } from '../../src/target/kept-sessions.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';

/** Sessions that are lent again, with the settings that the next one asks for. */
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterEach(() => expectNoLeaks(db.url));
afterAll(() => db.drop());

function options(session: Record<string, string>, applicationName = 'etl test'): ConnectOptions {
  return { databaseUrl: db.url, applicationName, connectTimeoutMs: 10_000, session };
}

async function setting(connection: Connection, name: string): Promise<unknown> {
  const [row] = await connection.query('select current_setting($1) as value', [name]);
  return row?.['value'];
}

test('a session is lent again to who wants the same settings, under its own name', async () => {
  const sessions = createKeptSessions();
  const first = await sessions.lend(options({ work_mem: '5MB' }, 'etl one'));
  expect(await setting(first, 'application_name')).toBe('etl one');
  await first.query('select pg_advisory_lock(7)');
  await first.end();
  await first.end();
  const other = await sessions.lend(options({ work_mem: '6MB' }));
  const again = await sessions.lend(options({ work_mem: '5MB' }, 'etl two'));
  expect([again.pid === first.pid, other.pid === first.pid]).toEqual([true, false]);
  expect(await setting(again, 'application_name')).toBe('etl two');
  const locks = await again.query(`select from pg_locks where locktype = 'advisory' and pid = $1`, [
    again.pid,
  ]);
  expect(locks).toEqual([]);
  await Promise.all([other.end(), again.end()]);
  await sessions.close();
});

test('where many are free, one of them gets other settings, and loses its own', async () => {
  const sessions = createKeptSessions();
  const ask = ['1', '2', '3'].map((at) =>
    options({ work_mem: `${at}MB`, statement_timeout: `6000${at}` }),
  );
  const three = await Promise.all(ask.map((one) => sessions.lend(one)));
  const standard = 'select reset_val from pg_settings where name = $1';
  const [usual] = await db.query(standard, ['statement_timeout']);
  await Promise.all(three.map((one) => one.end()));
  const fourth = await sessions.lend(options({ work_mem: '4MB' }));
  expect(three.map(({ pid }) => pid)).toContain(fourth.pid);
  expect(await setting(fourth, 'work_mem')).toBe('4MB');
  expect(await setting(fourth, 'statement_timeout')).toBe(usual?.['reset_val']);
  await fourth.end();
  await sessions.close();
});

test('one that was lost is not lent again, and tells who has it', async () => {
  const sessions = createKeptSessions();
  const lost = await sessions.lend(options({}));
  const free = await sessions.lend(options({}));
  await free.end();
  const told = new Promise((resolve) => lost.lost.addEventListener('abort', resolve));
  await db.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [
    [lost.pid, free.pid],
  ]);
  await told;
  expect(lost.usable()).toBe(false);
  await lost.end();
  const next = await sessions.lend(options({}));
  expect([lost.pid, free.pid]).not.toContain(next.pid);
  await sessions.close();
  // Lent while it was closed: ended when it comes back.
  await next.end();
  expect(next.usable()).toBe(false);
});

test('a setting that the server refuses is told, and the session is gone', async () => {
  const sessions = createKeptSessions();
  const kept = await Promise.all([1, 2, 3].map(() => sessions.lend(options({}))));
  await Promise.all(kept.map((one) => one.end()));
  await expect(sessions.lend(options({ work_mem: 'much' }))).rejects.toMatchObject({
    code: 'ETL_JOB_INVALID',
  });
  await sessions.close();
});

test('no more are open than there may be: what is free makes room, and is not kept beyond', async () => {
  const sessions = createKeptSessions(3);
  const open = async (): Promise<number> => {
    const [row] = await db.query(
      `select count(*)::int as c from pg_stat_activity
        where datname = current_database() and application_name in ('etl test', 'etl idle')`,
    );
    return Number(row?.['c']);
  };
  const two = [
    await sessions.lend(options({ work_mem: '1MB' })),
    await sessions.lend(options({ work_mem: '2MB' })),
  ];
  await Promise.all(two.map((one) => one.end()));
  expect(await open()).toBe(2);
  const free = await sessions.reserve(2);
  expect(await open()).toBe(1);
  const other = await sessions.lend(options({ work_mem: '3MB' }));
  expect(await open()).toBe(1);
  const beyond = await sessions.lend(options({ work_mem: '4MB' }));
  await beyond.end();
  expect(await open()).toBe(1);
  free();
  free();
  // A session that was cut counts no more, though nobody gave it back.
  other.destroy();
  const three = await Promise.all(
    ['5MB', '6MB', '7MB'].map((size) => sessions.lend(options({ work_mem: size }))),
  );
  await Promise.all(three.map((one) => one.end()));
  expect(await open()).toBe(3);
  await sessions.close();
});
