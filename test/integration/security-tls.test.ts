import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { EtlError } from '../../src/errors.ts';
import { connect } from '../../src/target/connect.ts';
import { createCertificate } from '../support/certificates.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { etl, expectTold } from '../support/etl.ts';
import { openTlsProxy, type TlsProxy, type TlsProxyOptions } from '../support/tls-proxy.ts';

/** Encrypted lines, by certificates of our own, against what libpq promises of each sslmode. */
const authority = createCertificate({ name: 'Test Authority' });
const stranger = createCertificate({ name: 'Another Authority' });
const good = createCertificate({
  name: 'server',
  issuer: authority,
  hosts: ['localhost', '127.0.0.1'],
});
const elsewhere = createCertificate({ name: 'else', issuer: authority, hosts: ['db.example'] });
const day = 86_400_000;
const expired = createCertificate({
  name: 'old',
  issuer: authority,
  hosts: ['localhost'],
  validFrom: new Date(Date.now() - 2 * day),
  validTo: new Date(Date.now() - day),
});
const future = createCertificate({
  name: 'new',
  issuer: authority,
  hosts: ['localhost'],
  validFrom: new Date(Date.now() + day),
  validTo: new Date(Date.now() + 2 * day),
});

let db: TestDatabase;
let folder: string;
let proxy: TlsProxy | null = null;
beforeAll(async () => {
  db = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'etl-tls-'));
  const client = createCertificate({ name: 'client', issuer: authority, hosts: ['client'] });
  const files = {
    'root.crt': authority.cert,
    'stranger.crt': stranger.cert,
    'client.crt': client.cert,
    'client.key': client.key,
    'a.csv': 'id,name\n1,a\n2,b\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await proxy?.close();
  proxy = null;
});
afterAll(async () => {
  await db.drop();
  await rm(folder, { recursive: true });
});

/** A URL to the test's database through a server with this certificate. */
async function urlThrough(options: TlsProxyOptions, host = 'localhost'): Promise<string> {
  proxy = await openTlsProxy(db.url, options);
  return `postgres://postgres@${host}:${proxy.port}/${db.name}`;
}

/** How the line was, or the code and what was said. */
async function connected(url: string): Promise<string> {
  const options = { applicationName: 'tls', connectTimeoutMs: 10_000, session: {} };
  try {
    const connection = await connect({ databaseUrl: url, ...options });
    await connection.query('select 1');
    await connection.end();
    return proxy?.seen.at(-1) ?? 'not through the proxy';
  } catch (error) {
    if (!(error instanceof EtlError)) throw error;
    expect(error.record.remedy).not.toBe('');
    return `${error.code} ${error.record.facts.socket ?? '-'}: ${error.record.sentence}`;
  }
}

const root = (): string => `&sslrootcert=${encodeURIComponent(join(folder, 'root.crt'))}`;
const strange = (): string => `&sslrootcert=${encodeURIComponent(join(folder, 'stranger.crt'))}`;

describe('each sslmode asks for what libpq says that it asks for', () => {
  test.for([
    ['disable', good, '', 'plain'],
    ['allow', good, '', 'tls'],
    ['prefer', good, '', 'tls'],
    ['prefer', expired, '', 'tls'],
    ['require', good, '', 'tls'],
    ['require', expired, '', 'tls'],
    ['require', stranger, '', 'tls'],
    ['no-verify', stranger, '', 'tls'],
    ['require', good, root, 'tls'],
    ['require', elsewhere, root, 'tls'],
    ['require', good, strange, /^ETL_CONNECTION .*not trusted/],
    ['verify-ca', good, root, 'tls'],
    ['verify-ca', elsewhere, root, 'tls'],
    ['verify-ca', expired, root, /^ETL_CONNECTION CERT_HAS_EXPIRED: .* expired\.$/],
    ['verify-ca', good, strange, /^ETL_CONNECTION .*not trusted/],
    ['verify-ca', good, '', /^ETL_CONNECTION -: sslmode=verify-ca needs the certificate/],
    ['verify-full', good, root, 'tls'],
    ['verify-full', elsewhere, root, /^ETL_CONNECTION ERR_TLS_CERT_ALTNAME_INVALID: .*db\.example/],
    ['verify-full', expired, root, /^ETL_CONNECTION CERT_HAS_EXPIRED/],
    ['verify-full', future, root, /^ETL_CONNECTION CERT_NOT_YET_VALID: .*not valid yet/],
    ['verify-full', good, strange, /^ETL_CONNECTION .*not trusted/],
    ['verify-full', good, '', /^ETL_CONNECTION .*not trusted/],
  ] as const)('%s', async ([mode, certificate, rootCert, expected]) => {
    const url = await urlThrough({ certificate });
    const trust = typeof rootCert === 'function' ? rootCert() : rootCert;
    expect(await connected(`${url}?sslmode=${mode}${trust}`)).toMatch(expected);
  });

  test('the address counts where the host is one', async () => {
    const url = await urlThrough({ certificate: good }, '127.0.0.1');
    expect(await connected(`${url}?sslmode=verify-full${root()}`)).toBe('tls');
    await proxy?.close();
    const other = await urlThrough({ certificate: elsewhere }, '127.0.0.1');
    expect(await connected(`${other}?sslmode=verify-full${root()}`)).toContain('not for this host');
  });

  test.for([
    ['prefer', 'plain'],
    ['require', /^ETL_CONNECTION -: The server offers no TLS/],
    ['verify-full', /^ETL_CONNECTION -: The server offers no TLS/],
  ] as const)('%s of a server without TLS', async ([mode, expected]) => {
    const url = await urlThrough({ certificate: null });
    expect(await connected(`${url}?sslmode=${mode}`)).toMatch(expected);
  });
});

describe('what says the mode', () => {
  test('nothing: this machine is trusted', async () => {
    expect(await connected(await urlThrough({ certificate: good }))).toBe('plain');
  });

  test('PGSSLMODE and PGSSLROOTCERT, which the URL overrides', async () => {
    const url = await urlThrough({ certificate: elsewhere });
    vi.stubEnv('PGSSLMODE', 'verify-full');
    vi.stubEnv('PGSSLROOTCERT', join(folder, 'root.crt'));
    expect(await connected(url)).toContain('not for this host');
    expect(await connected(`${url}?sslmode=verify-ca`)).toBe('tls');
    expect(await connected(`${url}?sslmode=verify-ca${strange()}`)).toContain('not trusted');
    expect(await connected(`${url}?sslmode=disable`)).toBe('plain');
    vi.stubEnv('PGSSLMODE', 'verify_full');
    expect(await connected(url)).toContain('Did you mean "verify-full"?');
  });

  test('a file that is missing is named', async () => {
    const url = await urlThrough({ certificate: good });
    const file = join(folder, 'none.crt');
    const said = await connected(`${url}?sslmode=verify-full&sslrootcert=${file}`);
    expect(said).toBe('ETL_CONNECTION -: The root certificate cannot be read: ENOENT.');
  });

  test('a client certificate, where the server asks for one', async () => {
    const url = await urlThrough({ certificate: good, clientAuthority: authority.cert });
    const own = `&sslcert=${join(folder, 'client.crt')}&sslkey=${join(folder, 'client.key')}`;
    expect(await connected(`${url}?sslmode=verify-full${root()}${own}`)).toBe('tls as client');
    expect(await connected(`${url}?sslmode=verify-full${root()}`)).toMatch(/^ETL_CONNECTION /);
  });
});

test('a whole run goes by verify-full, each of its sessions; and one is refused before it begins', async () => {
  const url = `${await urlThrough({ certificate: good })}?sslmode=verify-full`;
  const argv = ['run', 'a.csv', '--table', 'encrypted', '--key', 'id', '--database-url'];
  const refused = await etl([...argv, `${url}${strange()}`], { cwd: folder });
  expectTold(refused, 'ETL_CONNECTION', 2);
  expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain('sslrootcert or PGSSLROOTCERT');
  const seen = proxy?.seen ?? [];
  seen.splice(0);
  const run = await etl([...argv, `${url}${root()}`], { cwd: folder, threads: true });
  expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
  expect(new Set(seen)).toEqual(new Set(['tls']));
  expect(seen.length).toBeGreaterThan(1);
  expect(await db.query('select * from encrypted order by id')).toHaveLength(2);
});
