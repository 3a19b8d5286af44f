import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EtlError } from '../errors.ts';
import type { Environment } from './database-choice.ts';
import { didYouMean } from './nearest-name.ts';

/** Parameters of a connection by libpq's names: host, port, dbname, user, sslmode … */
export type ServiceParameters = Readonly<Record<string, string | undefined>>;

/**
 * What a service file says of a service (`PGSERVICE`, or `service` in a URL), as libpq finds it: the
 * file of PGSERVICEFILE or `~/.pg_service.conf`, then `pg_service.conf` in PGSYSCONFDIR. The folder
 * that libpq was built with is not known here.
 *
 * @throws EtlError ETL_CONNECTION where nothing is said of it, or a file cannot be read
 */
export function serviceParameters(name: string, env: Environment): ServiceParameters {
  const known: string[] = [];
  const files = serviceFiles(env);
  for (const file of files) {
    const services = servicesIn(file);
    const found = services.get(name);
    if (found !== undefined) return found;
    known.push(...services.keys());
  }
  throw new EtlError(
    'ETL_CONNECTION',
    `No service file has a service "${name}".${didYouMean(name, known)}`,
    `It was looked for in ${files.join(' and ')}; PGSERVICEFILE names another file.`,
    { value: name },
  );
}

function serviceFiles(env: Environment): readonly string[] {
  const [own = '', folder = ''] = [env['PGSERVICEFILE'], env['PGSYSCONFDIR']];
  return [
    own === '' ? join(homedir(), '.pg_service.conf') : own,
    ...(folder === '' ? [] : [join(folder, 'pg_service.conf')]),
  ];
}

/** The first section of a name counts, and of a parameter that comes twice the first value. */
function servicesIn(file: string): ReadonlyMap<string, ServiceParameters> {
  const services = new Map<string, Record<string, string>>();
  let section: Record<string, string> = {};
  for (const [index, raw] of textOf(file).split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const name = /^\[(.*)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      section = Object.create(null) as Record<string, string>;
      if (!services.has(name)) services.set(name, section);
      continue;
    }
    const [key = '', value] = line.split(/=(.*)/s);
    if (value === undefined) throw unreadableLine(file, index + 1);
    section[key.trim()] ??= value.trim();
  }
  return services;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code = 'unknown reason' } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new EtlError(
      'ETL_CONNECTION',
      `The service file cannot be read: ${code}.`,
      'Check the path and its permissions.',
      { file },
      { cause },
    );
  }
}

/** Without the line itself, which may hold a password. */
function unreadableLine(file: string, line: number): EtlError {
  return new EtlError(
    'ETL_CONNECTION',
    'The line of the service file is neither a [name] nor parameter=value.',
    'Correct the line.',
    { file, line },
  );
}
