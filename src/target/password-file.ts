import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EtlError } from '../errors.ts';

/** Whose password is looked for. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password that `~/.pgpass` (or the file of PGPASSFILE) has for a login; undefined for none.
 * The first line that fits counts: `host:port:database:user:password`, `*` for any, and `\:` and
 * `\\` for the characters themselves. pg reads the file, too, but warns on stderr that it will not
 * for much longer.
 *
 * @throws EtlError ETL_CONNECTION where others may read the file, which libpq passes over
 */
export async function filedPassword(
  login: Login,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const asked = env['PGPASSFILE'] ?? '';
  const path = asked === '' ? join(homedir(), '.pgpass') : asked;
  const found = await stat(path).catch(() => null);
  if (found?.isFile() !== true) return undefined;
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new EtlError(
      'ETL_CONNECTION',
      'The password file may be read by others, so it is not used.',
      `Run: chmod 600 ${path}`,
      { file: path },
    );
  }
  for (const line of (await readFile(path, 'utf8')).split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const [host, port, database, user, password] = fieldsOf(line);
    if (password === undefined) continue;
    const fits = (pattern: string | undefined, value: string): boolean =>
      pattern === '*' || pattern === value;
    if (!fits(port, `${login.port}`) || !fits(database, login.database)) continue;
    if (fits(user, login.user) && hostNames(login.host).some((name) => fits(host, name))) {
      return password;
    }
  }
  return undefined;
}

/** A socket goes by its folder, and libpq's usual ones by `localhost`. */
function hostNames(host: string): readonly string[] {
  return host === '/tmp' || host === '/var/run/postgresql' ? [host, 'localhost'] : [host];
}

function fieldsOf(line: string): readonly string[] {
  const fields = [''];
  for (const [part] of line.matchAll(/\\.|[^]/g)) {
    if (part === ':' && fields.length < 5) fields.push('');
    else fields.push(`${fields.pop() ?? ''}${part.length === 2 ? part.slice(1) : part}`);
  }
  return fields;
}
