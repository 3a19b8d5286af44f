import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { EtlError } from '../errors.ts';
import type { TlsChoice } from '../job/tls-choice.ts';

/** Options of node:tls for a choice, its files read; false for none. @throws EtlError ETL_CONNECTION */
export function tlsOptions(choice: TlsChoice): ConnectionOptions | false {
  if (choice.mode === 'disable') return false;
  const own = ownCertificate(choice);
  const root = rootCertificates(choice);
  const trust = root === null ? own : { ...own, ca: root };
  switch (choice.mode) {
    case 'prefer':
      return { ...own, rejectUnauthorized: false };
    case 'require':
      // As libpq: whoever names an authority wants it to be asked.
      return root === null ? { ...own, rejectUnauthorized: false } : { ...trust, ...ANY_NAME };
    case 'verify-ca':
      if (root !== null) return { ...trust, ...ANY_NAME };
      throw new EtlError(
        'ETL_CONNECTION',
        'sslmode=verify-ca needs the certificate of the authority to trust.',
        'Name its file with sslrootcert or PGSSLROOTCERT, or use sslmode=verify-full.',
      );
    case 'verify-full':
      return trust;
  }
}

const ANY_NAME = { checkServerIdentity: () => undefined };

/** What libpq reads where nothing is named. */
const FOLDER = '.postgresql';

function ownCertificate({ cert, key, keyPassword, revoked }: TlsChoice): ConnectionOptions {
  const certificate = contentOf(cert, 'postgresql.crt', 'The client certificate');
  const crl = contentOf(revoked, 'root.crl', 'The list of revoked certificates');
  return {
    ...(crl === null ? {} : { crl }),
    ...(certificate === null
      ? {}
      : { cert: certificate, key: contentOf(key, 'postgresql.key', 'The key') ?? undefined }),
    ...(keyPassword === null ? {} : { passphrase: keyPassword }),
  };
}

/** Null for the authorities that Node trusts: Mozilla's, and those of NODE_EXTRA_CA_CERTS. */
function rootCertificates({ rootCert }: TlsChoice): string | null {
  if (rootCert === 'system') return null;
  return contentOf(rootCert, 'root.crt', 'The root certificate');
}

function contentOf(file: string | null, usual: string, what: string): string | null {
  const path = file ?? join(homedir(), FOLDER, usual);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (file === null && (code === 'ENOENT' || code === 'ENOTDIR')) return null;
    throw new EtlError(
      'ETL_CONNECTION',
      `${what} cannot be read: ${code ?? 'unknown reason'}.`,
      'Check the path and its permissions.',
      { file: path },
      { cause },
    );
  }
}

/** Errors of the handshake, told as what they mean; null for those of another kind. */
export function tlsError(error: unknown): EtlError | null {
  if (!(error instanceof Error)) return null;
  const { code = '', message, reason } = error as NodeJS.ErrnoException & { reason?: string };
  const told = tellingOf(code, message, reason);
  if (told === null) return null;
  const facts = code === '' ? {} : { socket: code };
  return new EtlError('ETL_CONNECTION', ...told, facts, { cause: error });
}

/** What pg says to the server's refusal; `prefer` then goes on without TLS. */
export function offersNoTls(error: unknown): boolean {
  return error instanceof Error && NO_TLS.test(error.message);
}

const NO_TLS = /does not support SSL/;

/** `reason`: what OpenSSL says, without the places in its source that the message has. */
function tellingOf(
  code: string,
  message: string,
  reason: string | undefined,
): [sentence: string, remedy: string] | null {
  if (NO_TLS.test(message)) {
    return [
      'The server offers no TLS, and sslmode asks for it.',
      'Turn on ssl in the server, or use sslmode=prefer where the network is trusted.',
    ];
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return [
      `The server's certificate is not for this host: ${message.replace(/^.*altnames: /, '')}.`,
      'Connect by a name that the certificate has; sslmode=verify-ca does not compare names.',
    ];
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return [
      `The server's certificate is ${code === 'CERT_HAS_EXPIRED' ? 'expired' : 'not valid yet'}.`,
      'Give the server a certificate that is valid, and check the clocks of both machines.',
    ];
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_OSSL_')) {
    return [
      `The TLS handshake failed: ${reason ?? message}.`,
      'Check sslcert and sslkey, if the server asks for a certificate, and the TLS versions.',
    ];
  }
  if (/CERT|ISSUER|LEAF_SIGNATURE|INVALID_CA|^CRL_/.test(code)) {
    return [
      `The server's certificate is not trusted: ${message}.`,
      'Name the certificate of its authority with sslrootcert or PGSSLROOTCERT.',
    ];
  }
  return null;
}
