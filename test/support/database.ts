import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject } from 'vitest';

/** Sessions of the tests' own are named so, and do not count as leaks. */
const TEST_APPLICATION = 'test-support';

/** How often and at what interval expectNoLeaks looks: a session that ends is seen a bit longer. */
const LEAK_LOOKS_MAX = 60;
const LEAK_LOOK_MS = 50;

/** By the URL of a test database: the session that looks for leaks there, test after test. */
const watchers = new Map<string, Promise<pg.Client>>();

export type Row = Record<string, unknown>;

/** Sessions of a test's own in a database. */
export interface TestSessions {
  /** For the code under test. */
  readonly url: string;
  /** Runs statements on a session of the test's own; `int8` and `numeric` come as strings. */
  query<T extends Row = Row>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  /** A further connected session, for locks and concurrent transactions. Closed by close() at last. */
  client(): Promise<pg.Client>;
  /** Ends them all. */
  readonly close: () => Promise<void>;
}

/** A database of a test file's own. */
export interface TestDatabase extends Omit<TestSessions, 'close'> {
  readonly name: string;
  /** Ends all sessions, the test's own and others', and what they prepared; drops the database. */
  drop(): Promise<void>;
}

/** URL of the integration project's server (its database `etl` or whatever the environment named). */
export function serverUrl(): string {
  return inject('databaseUrl');
}

/**
 * A fresh database on the project's server, with the settings of template1.
 *
 *     let db: TestDatabase;
 *     beforeAll(async () => { db = await createTestDatabase(); });
 *     afterEach(() => expectNoLeaks(db.url));
 *     afterAll(() => db.drop());
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(`create database ${name}`);
  const url = databaseUrlOf(serverUrl(), name);
  const { close, ...sessions } = openSessions(url);
  watchers.set(url, sessions.client());
  return {
    ...sessions,
    name,
    async drop() {
      watchers.delete(url);
      await rollbackPrepared(url);
      await close();
      await onServer(`drop database if exists ${name} with (force)`);
    },
  };
}

/** In a database that is there already. */
export function openSessions(url: string): TestSessions {
  const clients = new Set<pg.Client>();

  const client = async (): Promise<pg.Client> => {
    const made = await connect(url);
    clients.add(made);
    made.once('end', () => clients.delete(made));
    return made;
  };
  let own: Promise<pg.Client> | null = null;

  return {
    url,
    client,
    async query<T extends Row>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
      own ??= client();
      const result = await (await own).query<T>(sql, [...params]);
      return result.rows;
    },
    async close() {
      await Promise.allSettled([...clients].map((open) => open.end()));
    },
  };
}

/**
 * Fails when something is left behind in the database of this URL: a session other than the
 * test's own, an advisory lock, a prepared transaction, a temporary table, or a table staging_… in
 * the ledger's schema. Looks again for some seconds, since a closed session ends a bit later.
 */
export async function expectNoLeaks(
  url: string,
  ledgerSchema = 'etl',
  looksMax = LEAK_LOOKS_MAX,
): Promise<void> {
  const watcher = watchers.get(url);
  const client = await (watcher ?? connect(url));
  try {
    let leaks = await leaksOf(client, ledgerSchema);
    for (let look = 1; leaks.length > 0 && look < looksMax; look += 1) {
      await new Promise((next) => setTimeout(next, Math.min(2 ** look, LEAK_LOOK_MS)));
      leaks = await leaksOf(client, ledgerSchema);
    }
    if (leaks.length > 0) expect.fail(`left behind in ${url}:\n${leaks.join('\n')}`);
  } finally {
    if (watcher === undefined) await client.end();
  }
}

/** The URL of another database on the same server, as the code under test may be given it. */
export function databaseUrlOf(url: string, database: string): string {
  // Not `new URL`: it refuses the empty host that stands for a unix socket.
  const parts = /^([a-z]+:\/\/[^/?]*)(?:\/[^?]*)?(\?.*)?$/.exec(url);
  if (parts === null) throw new Error(`Not a PostgreSQL URL: ${url}`);
  return `${parts[1] ?? ''}/${database}${parts[2] ?? ''}`;
}

async function leaksOf(client: pg.Client, ledgerSchema: string): Promise<string[]> {
  const result = await client.query<{ leak: string }>(LEAKS, [TEST_APPLICATION, ledgerSchema]);
  return result.rows.map((row) => row.leak);
}

const LEAKS = `
  with own as (
    select pid from pg_stat_activity where application_name = $1
  )
  select format('session %s "%s": %s', pid, application_name, left(query, 120)) as leak
  from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend'
    and application_name <> $1
  union all
  select format('advisory lock %s/%s of session %s', classid, objid, pid)
  from pg_locks
  where locktype = 'advisory' and pid not in (select pid from own)
    and database = (select oid from pg_database where datname = current_database())
  union all
  select format('prepared transaction %s', gid)
  from pg_prepared_xacts where database = current_database()
  union all
  select format('table %s', c.oid::regclass)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p')
    and (c.relpersistence = 't' or (n.nspname = $2 and c.relname like 'staging\\_%'))
  order by leak`;

/** One that a failing test has left would keep the database from being dropped. */
async function rollbackPrepared(url: string): Promise<void> {
  const client = await connect(url);
  try {
    const left = await client.query<{ sql: string }>(
      `select format('rollback prepared %L', gid) as sql
       from pg_prepared_xacts where database = current_database()`,
    );
    for (const { sql } of left.rows) await client.query(sql);
  } finally {
    await client.end();
  }
}

async function onServer(sql: string): Promise<void> {
  const client = await connect(serverUrl());
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: TEST_APPLICATION });
  // The server may end a session (a test that restarts it, drop with force); the next query tells.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
