import { parse } from 'pg-connection-string';
import { EtlError } from '../errors.ts';
import type { Job } from './schema.ts';
import { splitTls, tlsChoice } from './tls-choice.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which database a job means. `variables`: no URL, but PGHOST and the like are set, which the
 * driver reads by itself; its URL is the empty one, that leaves every part to them.
 */
export type DatabaseChoice =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'variables'; readonly url: string; readonly names: readonly string[] }
  | { readonly kind: 'embedded' };

/** Those that say where a server is or who asks. PGPASSWORD or PGSSLMODE alone say neither. */
const PG_VARIABLES = [
  ...['PGSERVICE', 'PGHOST', 'PGHOSTADDR', 'PGPORT', 'PGDATABASE', 'PGUSER'],
] as const;

export function chooseDatabase(job: Job, env: Environment): DatabaseChoice {
  if (job.databaseUrl !== null) return { kind: 'url', url: job.databaseUrl };
  const names = PG_VARIABLES.filter((name) => (env[name] ?? '') !== '');
  return names.length > 0 ? { kind: 'variables', url: 'postgres://', names } : { kind: 'embedded' };
}

/** Why the driver could not read a URL, for people and without the password; null where it can. */
export function urlProblem(url: string): string | null {
  if (cutsPassword(url)) return PASSWORD_SPELLING;
  if (hasOddPort(url)) return 'what follows the host is no port, a number from 1 to 65535';
  if (hostsOf(url).includes(',')) return 'it names several hosts; name the primary alone';
  try {
    const split = splitTls(url);
    parse(split.url);
    tlsChoice(split.tls, '', {});
    return null;
  } catch (error) {
    if (error instanceof EtlError) {
      return `${error.record.sentence} ${error.record.remedy}`.replace(/\.$/, '');
    }
    return PASSWORD_SPELLING;
  }
}

const PASSWORD_SPELLING =
  'it is not a valid URL; in a password, write / as %2F, # as %23, ? as %3F, @ as %40, % as %25';

/** Not shown: a password without a user before it and an `@` behind it would stand there. */
function hasOddPort(url: string): boolean {
  const authority = /^[a-z]+:\/\/(?:[^/?#]*@)?([^@/?#]*)(?:[/?#]|$)/i.exec(url)?.[1] ?? '';
  const port = /^(?:\[[^\]]*\]|[^[:]*):([^,]+)/.exec(authority)?.[1];
  return (
    port !== undefined && (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || Number(port) < 1)
  );
}

/** Where libpq has a list, which it tries in turn; the driver takes one host. */
function hostsOf(url: string): string {
  const [, authority = ''] = /^[a-z]+:\/\/(?:[^/?#]*@)?([^@/?#]*)(?:[/?#]|$)/i.exec(url) ?? [];
  const [, parameter = ''] = /[?&]host=([^&#]*)/.exec(url) ?? [];
  return authority + parameter;
}

/**
 * Whether a raw `/`, `?` or `#` of a password may have ended the host: an `@` comes after it. Read
 * on, the rest of the password would be the name of a host, and be asked of the name servers.
 */
function cutsPassword(url: string): boolean {
  const [, afterAuthority = ''] = /^[a-z]+:\/\/[^/?#]*(.*)$/is.exec(url) ?? [];
  const [beforeQuery = '', query = ''] = afterAuthority.split(/\?(.*)/s);
  const names = query.split('&').map((part) => part.split('=')[0] ?? '');
  return (
    beforeQuery.includes('@') ||
    /#.*@/s.test(afterAuthority) ||
    names.some((name) => name.includes('@'))
  );
}

/**
 * The text with the password of every database URL in it replaced by `***`. Cuts from the first
 * colon to the last `@`, so that a password with a raw `@`, `/`, `?` or space is covered whole.
 * Schemes are of a bounded length: a word of a million letters took an hour otherwise.
 */
export function redactUrl(text: string): string {
  return text
    .replaceAll(/\b([a-z][a-z\d+.-]{0,30}:\/\/[^\s:@/?#"']*):(?:\S|\s(?=\S*@))*@/gi, '$1:***@')
    .replaceAll(/\b((?:ssl)?password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&"']+)/gi, '$1***');
}
