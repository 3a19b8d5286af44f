import { describe, expect, test } from 'vitest';
import { connectionParameters } from '../../../src/job/connection-parameters.ts';
import { splitTls } from '../../../src/job/tls-choice.ts';

function modeOf(url: string | null, env: Record<string, string> = {}): string {
  try {
    return connectionParameters(url, env).tls.mode;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the mode', () => {
  test.each([
    ['postgres://localhost/app', {}, 'disable'],
    ['postgres://127.0.0.1/app', {}, 'disable'],
    ['postgres://[::1]/app', {}, 'disable'],
    ['postgres:///app?host=/run/postgresql', {}, 'disable'],
    ['postgres://me@/app?host=/run/postgresql&sslmode=verify-full', {}, 'disable'],
    ['postgres://db.example/app', {}, 'prefer'],
    ['postgres://localhost.example/app', {}, 'prefer'],
    ['postgres://db/app?sslmode=allow', {}, 'prefer'],
    ['postgres://db/app?sslmode=no-verify', {}, 'require'],
    ['postgres://db/app?ssl=true', {}, 'require'],
    ['postgres://db/app?ssl=0', {}, 'disable'],
    ['postgres://db/app?ssl=true&sslmode=verify-full', {}, 'verify-full'],
    ['postgres://db/app', { PGSSLMODE: 'verify-ca' }, 'verify-ca'],
    ['postgres://db/app?sslmode=require', { PGSSLMODE: 'verify-ca' }, 'require'],
    ['postgres://db/app?sslrootcert=system', {}, 'verify-full'],
    [null, { PGHOST: 'db.example' }, 'prefer'],
    [null, { PGHOST: '/run/postgresql', PGSSLMODE: 'require' }, 'disable'],
    [null, {}, 'disable'],
  ])('%s %j', (url, env, mode) => {
    expect(modeOf(url, env)).toBe(mode);
  });

  test('what is none is refused, and so is trust in all authorities without a name', () => {
    expect(modeOf('postgres://db/app?sslmode=full')).toContain('There is no sslmode "full"');
    expect(modeOf('postgres://db/app', { PGSSLMODE: 'on' })).toContain('[ETL_CONNECTION]');
    expect(modeOf('postgres://db/app?sslrootcert=system&sslmode=require')).toContain(
      'sslmode=require does not check that the certificate is of this host',
    );
  });
});

test('the URL goes before the variables, part by part', () => {
  const env = { PGSSLROOTCERT: 'env.crt', PGSSLCERT: 'env.pem', PGSSLKEY: 'env.key' };
  const url = 'postgres://db/app?sslmode=verify-full&sslrootcert=my%20root.crt&sslpassword=p%26q';
  expect(connectionParameters(url, env).tls).toEqual({
    mode: 'verify-full',
    rootCert: 'my root.crt',
    cert: 'env.pem',
    key: 'env.key',
    keyPassword: 'p&q',
    revoked: null,
    negotiation: 'postgres',
  });
});

test('a direct handshake is for encrypted lines only', () => {
  const direct = (url: string): string => connectionParameters(url, {}).tls.negotiation;
  expect(direct('postgres://db/app?sslmode=require&sslnegotiation=direct')).toBe('direct');
  expect(direct('postgres://db/app?sslmode=disable&sslnegotiation=direct')).toBe('postgres');
});

test('the driver sees the URL without what is about TLS, and otherwise unchanged', () => {
  const url =
    'postgres://me:p%3Fw@db/app?options=-c%20a%3Db&sslmode=require&x=1&uselibpqcompat=true';
  expect(splitTls(url).url).toBe('postgres://me:p%3Fw@db/app?options=-c%20a%3Db&x=1');
  expect(splitTls('postgres://db/app?sslmode=require').url).toBe('postgres://db/app');
  expect(connectionParameters(url, {}).ofUrl).not.toHaveProperty('ssl');
});

test('the password is that of the URL, else of PGPASSWORD', () => {
  const env = { PGPASSWORD: 'from env' };
  expect(connectionParameters('postgres://me:p%40ss@db/app', env).password).toBe('p@ss');
  expect(connectionParameters('postgres://me@db/app', env).password).toBe('from env');
  expect(connectionParameters('postgres://me@db/app', {}).password).toBeNull();
});

test.each([
  ...['postgres://me:s3#cret@db/app', 'postgres://me:s3@cret/x@db/app'],
  ...[
    'postgres://me:1?cret@db/app',
    'postgres://me:1#s3cret@db/app',
    'postgres://me:s3@c/d#e?&=f@db/a',
  ],
])('%s is refused without its password, and no part of it is taken for a host', (url) => {
  const message = modeOf(url);
  expect(message).toContain('ETL_CONNECTION');
  expect(message).toContain('in a password, write / as %2F');
  expect(message).not.toMatch(/s3|cret/);
});

test.each([
  ...['postgres://db:5432/app?user=me@tenant', 'postgres://me@tenant:p@db/app?options=-c%20a=b@c'],
  ...['postgres://me:p%40%2F%23@db/app#', 'postgres://me@/app?host=/run/a@b'],
])('%s is fine', (url) => {
  expect(modeOf(url)).toMatch(/^(?:prefer|disable)$/);
});
