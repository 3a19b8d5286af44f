import { EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import { literal, readable } from './names.ts';
import { serverError } from './server-error.ts';

/** Settings of a session by the name of PostgreSQL's parameter. */
export type SessionValues = Readonly<Record<string, string>>;

/** The part of a client that is needed here. */
interface Asked {
  readonly user?: string | undefined;
  query(sql: string, params?: unknown[]): Promise<unknown>;
}

/**
 * Settings that not every version or platform has are tried, not demanded: a backend that looks
 * for its client while it works, and no end for a session that waits idle while others load.
 * Its own TCP tells the server within two minutes of a client whose host is gone, instead of two
 * hours in which the session would keep its locks.
 */
const TRIED: SessionValues = {
  client_connection_check_interval: '1s',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  tcp_keepalives_idle: '60s',
  tcp_keepalives_interval: '10s',
  tcp_keepalives_count: '6',
  tcp_user_timeout: '120s',
};

/**
 * Sets them all, and asks `question`, in one round trip; resolves to the answer. Throws ETL_JOB_INVALID or
 * ETL_PRIVILEGE where the server refuses one of them, and names it.
 */
export async function applySession(
  client: Asked,
  session: SessionValues,
  question = '',
): Promise<unknown> {
  try {
    return await client.query(`${sessionSql(session)};${question}`);
  } catch (error) {
    throw (await refusedSetting(client, session)) ?? error;
  }
}

function sessionSql(session: SessionValues): string {
  const set = (name: string, value: string): string =>
    `perform set_config(${literal(name)}, ${literal(value)}, false);`;
  const tried = Object.entries(TRIED).map(
    ([name, value]) => `begin ${set(name, value)} exception when others then null; end;`,
  );
  const demanded = Object.entries(session).map(([name, value]) => set(name, value));
  return `do $etl$ begin ${[...tried, ...demanded].join(' ')} end $etl$`;
}

/**
 * Asked one by one, since the server's message is in the language of the server and need not name
 * the setting. Null where it is none of them: the connection may have been lost.
 */
async function refusedSetting(client: Asked, session: SessionValues): Promise<EtlError | null> {
  for (const [name, value] of Object.entries(session)) {
    try {
      await client.query('select set_config($1, $2, false)', [name, value]);
    } catch (error) {
      const { record } = serverError(error);
      const { sqlState } = record.facts;
      if (sqlState === undefined || !/^(?:22|42|55|0A|F0)/.test(sqlState)) return null;
      const hint = (error as { readonly hint?: string }).hint;
      const denied = sqlState === '42501';
      const grant = denied
        ? ` Or let a superuser run: grant set on parameter ${name} to ${readable(client.user ?? 'loader')}; (PostgreSQL 15 or later).`
        : '';
      return new EtlError(
        denied ? 'ETL_PRIVILEGE' : 'ETL_JOB_INVALID',
        `The server refuses the session's setting ${name} = ${JSON.stringify(value)}: ${record.sentence}`,
        remedy`${hint === undefined ? '' : `${hint} `}Correct ${setting(SETTINGS.get(name) ?? 'settings.session')}, or leave it out.${grant}`,
        { sqlState },
        { cause: error },
      );
    }
  }
  return null;
}

/** What the job calls them, where it is not by the name of the parameter. */
const SETTINGS: ReadonlyMap<string, string> = new Map([['timezone', 'settings.timeZone']]);
