import { parse } from 'pg-connection-string';
import { EtlError } from '../errors.ts';
import { urlProblem, type Environment } from './database-choice.ts';
import { splitTls, tlsChoice, type TlsChoice } from './tls-choice.ts';

/** What the driver is to be told of a server, apart from TLS. */
export interface ConnectionParameters {
  /** Of the URL alone, in the driver's words; what it leaves open the driver takes from PG…. */
  readonly ofUrl: Readonly<Record<string, unknown>>;
  /** The password of the URL or of PGPASSWORD, or null. */
  readonly password: string | null;
  readonly tls: TlsChoice;
}

/** Reads a URL, or null for PG… variables alone, as psql does. @throws EtlError ETL_CONNECTION */
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
  const { password, ...ofUrl } = parse(split.url);
  const host = filled(ofUrl.host) ?? filled(env['PGHOST']) ?? 'localhost';
  return {
    ofUrl,
    password: filled(password) ?? filled(env['PGPASSWORD']),
    tls: tlsChoice(split.tls, host, env),
  };
}

function filled(text: string | null | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}
