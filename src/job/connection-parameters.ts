import { userInfo } from 'node:os';
import { parse } from 'pg-connection-string';
import { EtlError } from '../errors.ts';
import { urlProblem, type Environment } from './database-choice.ts';
import { serviceParameters } from './service-file.ts';
import { splitTls, tlsChoice, type TlsChoice } from './tls-choice.ts';

/** What the driver is to be told of a server, apart from TLS. */
export interface ConnectionParameters {
  /** Of URL and service, in the driver's words; what they leave open the driver takes from PG…. */
  readonly ofUrl: Readonly<Record<string, unknown>>;
  /** The password of the URL, the service or PGPASSWORD, or null. */
  readonly password: string | null;
  readonly tls: TlsChoice;
}

/**
 * Reads a URL, or null for PG… variables alone, as psql does: what the URL leaves open says the service
 * that it or PGSERVICE names, then the variables. The user is at last the one of the process: the
 * driver takes USER, which cron, systemd and containers do not set.
 *
 * @throws EtlError ETL_CONNECTION
 */
export function connectionParameters(url: string | null, env: Environment): ConnectionParameters {
  const problem = url === null ? null : urlProblem(url);
  if (problem !== null) {
    throw new EtlError(
      'ETL_CONNECTION',
      `The database URL cannot be read: ${problem}.`,
      'Correct it: postgres://user:password@host:5432/database',
    );
  }
  const split = splitTls(url ?? 'postgres://');
  const { password, service: named, ...parsed } = parse(split.url) as Parsed;
  const name = filled(named) ?? filled(env['PGSERVICE']);
  const service = name === null ? {} : serviceParameters(name, env);
  const host =
    filled(parsed.host) ??
    filled(service['host'] ?? service['hostaddr']) ??
    filled(env['PGHOST']) ??
    filled(env['PGHOSTADDR']);
  const told = {
    host,
    port: filled(parsed.port) ?? filled(service['port']),
    database: filled(parsed.database) ?? filled(service['dbname']),
    user: filled(parsed.user) ?? filled(service['user']) ?? filled(env['PGUSER']) ?? ownName(),
    options: filled(parsed.options) ?? filled(service['options']),
  };
  return {
    ofUrl: {
      ...parsed,
      ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null)),
    },
    password: filled(password) ?? filled(service['password']) ?? filled(env['PGPASSWORD']),
    tls: tlsChoice({ ...service, ...split.tls }, host ?? 'localhost', env),
  };
}

/** Null for a user id without a name, as some containers have; then the driver takes USER. */
function ownName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}

/** What the parser gives for a URL; parameters that it does not know come by their names. */
interface Parsed {
  readonly host?: string | null;
  readonly port?: string | null;
  readonly database?: string | null;
  readonly user?: string | null;
  readonly password?: string | null;
  readonly options?: string;
  readonly service?: string;
}

function filled(text: string | null | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}
