import { parse } from 'pg-connection-string';
import type { Job } from './schema.ts';

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
const PG_VARIABLES = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER'] as const;

export function chooseDatabase(job: Job, env: Environment): DatabaseChoice {
  if (job.databaseUrl !== null) return { kind: 'url', url: job.databaseUrl };
  const names = PG_VARIABLES.filter((name) => (env[name] ?? '') !== '');
  return names.length > 0 ? { kind: 'variables', url: 'postgres://', names } : { kind: 'embedded' };
}

/** Why the driver could not read a URL, for people and without the password; null where it can. */
export function urlProblem(url: string): string | null {
  try {
    parse(url);
    return null;
  } catch (error) {
    const { message } = error as Error;
    // Otherwise a certificate's file that the URL names is missing, and the message says which.
    if (!message.includes('Invalid URL')) return redactUrl(message);
    return 'it is not a valid URL; in a password, write / as %2F, # as %23, ? as %3F, @ as %40';
  }
}

/**
 * The text with the password of every database URL in it replaced by `***`. Cuts from the first
 * colon to the last `@`, so that a password with a raw `@`, `/`, `?` or space is covered whole.
 */
export function redactUrl(text: string): string {
  return text
    .replaceAll(/([a-z][a-z\d+.-]*:\/\/[^\s:@/?#"']*):(?:\S|\s(?=\S*@))*@/gi, '$1:***@')
    .replaceAll(/\b((?:ssl)?password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&"']+)/gi, '$1***');
}
