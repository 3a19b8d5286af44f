import { EtlError } from '../errors.ts';
import { didYouMean } from './nearest-name.ts';

/**
 * What libpq's `sslmode` says, weakest first: `prefer` encrypts where the server can, `require`
 * always, `verify-ca` also asks who signed the certificate, `verify-full` also whose it is.
 */
const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

/** How a connection is to be encrypted; files are paths as they were given. */
export interface TlsChoice {
  readonly mode: TlsMode;
  /** Certificates of the authorities; `system`: those that Node trusts; null: nothing was said. */
  readonly rootCert: string | null;
  /** The client's own certificate, its key, the key's pass phrase; and what is revoked. */
  readonly cert: string | null;
  readonly key: string | null;
  readonly keyPassword: string | null;
  readonly revoked: string | null;
  /** `direct` leaves out the question whether the server knows TLS (PostgreSQL 17). */
  readonly negotiation: 'postgres' | 'direct';
}

/**
 * Read from the parameters of a URL, then the PGSSL… variables, as psql reads them. Two things
 * differ. Without a word about it, a server on another host is asked for TLS as psql would
 * (`prefer`), and one on this machine is not: nobody listens there who could not read the process
 * as well. And `allow`, which prefers to be read by everybody, is taken as `prefer`.
 *
 * Rejected: node-postgres' own reading, where `require` and `verify-ca` mean `verify-full`,
 * `prefer` refuses servers without TLS, PGSSLROOTCERT is not read, and which warns that all of
 * this will change. Strings that work with psql and every other tool should work here.
 *
 * @throws EtlError ETL_CONNECTION for a mode that there is not
 */
export function tlsChoice(given: Words, host: string, env: Words): TlsChoice {
  const word = (name: string, variable: string): string | null =>
    nonEmpty(given[name]) ?? nonEmpty(env[variable]);
  const rootCert = word('sslrootcert', 'PGSSLROOTCERT');
  const asked = nonEmpty(given['sslmode']) ?? modeOfSsl(given['ssl']) ?? nonEmpty(env['PGSSLMODE']);
  const usual =
    rootCert === 'system' ? 'verify-full' : isOnThisMachine(host) ? 'disable' : 'prefer';
  const mode = asked === null ? usual : modeOf(asked);
  if (rootCert === 'system' && mode !== 'verify-full' && mode !== 'disable') {
    throw new EtlError(
      'ETL_CONNECTION',
      `sslrootcert=system trusts every public authority, and sslmode=${mode} does not check that the certificate is of this host.`,
      'Use sslmode=verify-full with it.',
    );
  }
  // A socket of this machine has no TLS; libpq, too, passes over the mode there.
  const plain = mode === 'disable' || host.startsWith('/');
  const direct = word('sslnegotiation', 'PGSSLNEGOTIATION') === 'direct';
  return {
    mode: plain ? 'disable' : mode,
    rootCert,
    cert: word('sslcert', 'PGSSLCERT'),
    key: word('sslkey', 'PGSSLKEY'),
    keyPassword: nonEmpty(given['sslpassword']),
    revoked: word('sslcrl', 'PGSSLCRL'),
    negotiation: direct && !plain ? 'direct' : 'postgres',
  };
}

type Words = Readonly<Record<string, string | undefined>>;

/** Parameters of a URL that are about TLS; the driver is not to see them. */
const TLS_PARAMETERS: readonly string[] = [
  ...['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslcrl'],
  ...['sslnegotiation', 'uselibpqcompat'],
];

/** Takes the parameters about TLS out of a URL. */
export function splitTls(url: string): { readonly url: string; readonly tls: Words } {
  const question = url.indexOf('?');
  if (question < 0) return { url, tls: {} };
  const tls: Record<string, string> = Object.create(null) as Record<string, string>;
  const others = url
    .slice(question + 1)
    .split('&')
    .filter((part) => {
      const [[name, value] = ['', '']] = [...new URLSearchParams(part)];
      const taken = TLS_PARAMETERS.includes(name);
      if (taken) tls[name] = value;
      return !taken;
    });
  const rest = others.length === 0 ? '' : `?${others.join('&')}`;
  return { url: url.slice(0, question) + rest, tls };
}

function modeOf(word: string): TlsMode {
  if (word === 'allow') return 'prefer';
  // node-postgres' word for encryption without a look at the certificate.
  if (word === 'no-verify') return 'require';
  const known = TLS_MODES.find((mode) => mode === word);
  if (known !== undefined) return known;
  throw new EtlError(
    'ETL_CONNECTION',
    `There is no sslmode "${word}".${didYouMean(word, TLS_MODES)}`,
    `Known are ${TLS_MODES.join(', ')}.`,
  );
}

/** `ssl=true` is JDBC's spelling, which libpq takes for `sslmode=require`. */
function modeOfSsl(word: string | undefined): string | null {
  if (word === undefined || word === '') return null;
  if (word === 'true' || word === '1') return 'require';
  return word === 'false' || word === '0' ? 'disable' : word;
}

function isOnThisMachine(host: string): boolean {
  return host.startsWith('/') || /^(?:localhost|127(?:\.\d+){3}|::1)$/i.test(host);
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}
