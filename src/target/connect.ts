import type { Writable } from 'node:stream';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { present } from '../assert.ts';
import { EtlError, remedyOf } from '../errors.ts';
import { connectionParameters } from '../job/connection-parameters.ts';
import { LIMITS } from '../limits.ts';
import { CopyOut } from './copy-out.ts';
import type { TakeBytes } from './take-bytes.ts';
import { applySession, type SessionValues } from './apply-session.ts';
import { filedPassword, type Login } from './password-file.ts';
import { lookAfter, socketOf, timedOut } from './look-after.ts';
import { OWN_BACKEND, type OwnBackend } from './probe-backend.ts';
import { toldPrivilege } from './privilege-error.ts';
import { serverError } from './server-error.ts';
import { lastOf, pipelined } from './pipelined.ts';
import { offersNoTls, tlsError, tlsOptions } from './tls-options.ts';
import type { ConnectionWatch } from './watch-connection.ts';

export type Chunks = AsyncIterable<Buffer> | Iterable<Buffer>;

export interface CopyInOptions {
  /**
   * Whether the next chunk is made while one is sent, so that it is there when the socket has room again: of
   * 100,000 documents a session with a Unix socket, which holds 208 kB, waited less, 10.4 s in place of 10.7.
   */
  readonly ahead?: boolean;
}

/** The only room that knows pg and pg-copy-streams. */
export interface ConnectOptions {
  /** A postgres:// URL; null takes PGHOST, PGUSER and so on, as libpq does. */
  readonly databaseUrl: string | null;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** Silence while an answer is owed after which the server is asked; 0, or absent: never. */
  readonly idleTimeoutMs?: number;
  /** Settings of the session, set once after connecting. */
  readonly session: SessionValues;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * One connection, used by one thing at a time. Every error is an EtlError. Statements that are asked
 * for without waiting for each other are sent without waiting: together they cost one round trip.
 */
export interface Connection {
  /** Process id of the backend. */
  readonly pid: number;
  /**
   * Whether something stands between us and the backend: the process that the key for cancelling
   * names is another one. A pooler makes up keys of its own.
   */
  readonly relayed: boolean;
  /** False once it is lost or closed. */
  usable(): boolean;
  /** Aborted once it is lost or closed. */
  readonly lost: AbortSignal;
  /** Answers that the session has had; see remembered.ts. */
  readonly told: Map<string, unknown>;
  /** Of several statements without parameters, which are one message, the rows of the last. */
  query(sql: string, params?: readonly unknown[]): Promise<readonly Row[]>;
  /** The number of rows that the statement's command tag reports. */
  execute(sql: string, params?: readonly unknown[]): Promise<number>;
  /** Types of the columns that a query would return; the query is run, so let it return nothing. */
  describe(sql: string): Promise<readonly { typeOid: number; typeModifier: number }[]>;
  /**
   * COPY … FROM STDIN of all chunks; returns the rows that the server counted. The bytes of a chunk are
   * no longer needed when the next one is asked for; with `ahead`, when the next but one is.
   */
  copyIn(sql: string, chunks: Chunks, options?: CopyInOptions): Promise<number>;
  /** COPY … TO STDOUT, row by row; what `take` throws, this rejects with, once the server has ended. */
  copyOut(sql: string, take: TakeBytes): Promise<void>;
  end(): Promise<void>;
  /** Cuts the connection; the server rolls back what is open. */
  destroy(): void;
}

/**
 * Opens a session as psql would with the same URL and PG… variables: TLS after `sslmode` (see
 * tlsChoice), the password from the URL, PGPASSWORD or ~/.pgpass.
 *
 * @throws EtlError ETL_CONNECTION, ETL_SERVER
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { ofUrl, password, tls } = connectionParameters(options.databaseUrl, process.env);
  const ssl = tlsOptions(tls);
  const config: pg.ClientConfig = {
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: LIMITS.keepAliveDelayMs,
    ...ofUrl,
    password: password ?? (passwordFor as () => Promise<string>),
  };
  try {
    return await openSession({ ...config, ssl, sslnegotiation: tls.negotiation }, options);
  } catch (error) {
    // Each way of asking needs a connection of its own: the server hangs up after its refusal.
    if (tls.mode !== 'prefer' || !offersNoTls(error))
      throw tlsError(error) ?? refusedBy(error, config);
  }
  try {
    return await openSession({ ...config, ssl: false, sslnegotiation: 'postgres' }, options);
  } catch (error) {
    throw refusedBy(error, config);
  }
}

/** A server that refuses names the user at most, and which of several it was is the question. */
function refusedBy(error: unknown, config: pg.ClientConfig): EtlError {
  const { host, port, user = '', database = '' } = new pg.Client(config);
  const told = toldPrivilege(serverError(error), { sql: '', role: user });
  const { code, sentence, facts } = told.record;
  if (code !== 'ETL_CONNECTION' || sentence.includes(host)) return told;
  const where = `database ${database} at ${host}:${port}`;
  const named = `${sentence.replace(/\.$/, '')} (${where}).`;
  return new EtlError(code, named, remedyOf(told.record), facts, { cause: error });
}

/** Asked for by pg once the server wants a password, with the login in its own words. */
function passwordFor(login: Login): Promise<string | undefined> {
  return filedPassword(login, process.env);
}

async function openSession(config: pg.ClientConfig, options: ConnectOptions): Promise<Connection> {
  const client = new pg.Client(config);
  const lost = new AbortController();
  // A lost connection is an event as well as a rejected query; without a listener it ends the process.
  client.on('error', () => lost.abort());
  client.on('end', () => lost.abort());
  const { connectTimeoutMs, idleTimeoutMs = 0 } = options;
  let late: NodeJS.Timeout | undefined;
  try {
    await client.connect();
    late = setTimeout(() => socketOf(client).destroy(timedOut('no answer')), connectTimeoutMs);
    const answer = await applySession(client, options.session, OWN_BACKEND);
    const { rows } = lastOf(answer as pg.QueryResult<OwnBackend>);
    const backend = present(rows[0], 'the backend of a session');
    const watch = lookAfter(client, { config, backend, connectTimeoutMs, idleTimeoutMs });
    return connectionOf(client, backend, lost.signal, watch);
  } catch (error) {
    // Not client.end(): after a failed TLS handshake it waits for an event that has passed.
    socketOf(client).destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

function connectionOf(
  client: pg.Client,
  { pid, role }: OwnBackend,
  lost: AbortSignal,
  watch: ConnectionWatch,
): Connection {
  const underWay = pipelined(client);
  const refusal = (error: unknown, sql: string): EtlError =>
    toldPrivilege(serverError(error), { sql, role });
  const run = async (sql: string, params?: readonly unknown[]) => {
    try {
      const sent = client.query<Row>(sql, params === undefined ? undefined : [...params]);
      return lastOf(await underWay.add(watch.owes(sent)));
    } catch (error) {
      throw refusal(error, sql);
    }
  };
  return {
    pid,
    relayed: (client as unknown as { processID: number | null }).processID !== pid,
    usable: () => !lost.aborted,
    lost,
    told: new Map(),
    query: async (sql, params) => (await run(sql, params)).rows,
    execute: async (sql, params) => (await run(sql, params)).rowCount ?? 0,
    describe: async (sql) =>
      (await run(sql)).fields.map((field) => ({
        typeOid: field.dataTypeID,
        typeModifier: field.dataTypeModifier,
      })),
    copyIn: (sql, chunks, { ahead = false } = {}) =>
      underWay.alone(async () => {
        const { rows, refused } = await copyIn(client, watch, sql, { chunks, ahead });
        if (refused !== null) throw refusal(refused, sql);
        return rows;
      }),
    copyOut: (sql, take) => underWay.alone(() => copyOut(client, watch, sql, take)),
    end: () => goodbye(client),
    destroy: () => socketOf(client).destroy(),
  };
}

/** The server closes the connection; it never hears the goodbye of one that is silent. */
async function goodbye(client: pg.Client): Promise<void> {
  const late = setTimeout(() => socketOf(client).destroy(), LIMITS.goodbyeMs);
  await client.end().catch(() => undefined);
  clearTimeout(late);
}

/**
 * Two sides can fail, each in its own way. The server: an `error` event, after which it ignores
 * what we still send; so we stop sending and ask the source for no more. The source: the stream is
 * destroyed, which sends CopyFail, and the server's answer to that is waited for, so that the
 * connection is ready again. The source's error is thrown then, not the server's echo of it.
 */
async function copyIn(
  client: pg.Client,
  watch: ConnectionWatch,
  sql: string,
  { chunks, ahead }: Required<CopyInOptions> & { readonly chunks: Chunks },
): Promise<{ readonly rows: number; readonly refused: unknown }> {
  const stream = client.query(copyFrom(sql));
  let refused: unknown = null;
  const ended = new Promise<void>((resolve) => {
    // `finish` comes only once the server has completed the command.
    stream.on('finish', resolve);
    stream.on('error', (error) => {
      refused ??= error;
      resolve();
    });
  });
  try {
    let sent: Promise<void> | null = null;
    for await (const chunk of chunks) {
      await sent;
      if (refused !== null) break;
      // What fits into the stream's buffer may stay there for a while; what does not is waited for.
      const held = chunk.length < stream.writableHighWaterMark ? Buffer.from(chunk) : chunk;
      sent = stream.write(held) ? null : watch.owes(drained(stream));
      if (!ahead) await sent;
    }
  } catch (error) {
    if (refused === null) {
      stream.destroy(new Error('the source failed'));
      await watch.owes(ended);
      throw error;
    }
  }
  if (refused === null) stream.end();
  await watch.owes(ended);
  return { rows: stream.rowCount, refused };
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done).off('error', done);
      resolve();
    };
    stream.on('drain', done).on('close', done).on('error', done);
  });
}

async function copyOut(
  client: pg.Client,
  watch: ConnectionWatch,
  sql: string,
  take: TakeBytes,
): Promise<void> {
  const { ended } = client.query(new CopyOut(sql, take));
  const thrown = await watch.owes(ended).catch((error: unknown) => {
    throw serverError(error);
  });
  if (thrown !== null) throw thrown.error;
}
